using System.Text.Json;

namespace VlmKernels.Inputs;

/// <summary>The transforms of openai/CLIP and open_clip.</summary>
internal static class OpenClipConfig
{
    internal static readonly float[] ClipMean = [0.48145466f, 0.4578275f, 0.40821073f];
    internal static readonly float[] ClipDeviation = [0.26862954f, 0.26130258f, 0.27577711f];

    public static ImagePipeline Clip(int size) => Make(size, size, "shortest", ResizeFilter.Bicubic, 0, ClipMean, ClipDeviation)
        ?? throw new InvalidOperationException("the short-side transform always exists");

    public static ImagePipeline Read(JsonElement json, int size, string file)
    {
        var config = new JsonSection(json, file, "preprocess_cfg.");
        (int width, int height) = Size(config, size);
        if (config.Text("mode") is { } mode && mode != "RGB") throw new ConfigFormatException(file, $"\"preprocess_cfg.mode\": expected RGB, found {mode}");
        string interpolation = config.Text("interpolation") ?? "bicubic";
        ResizeFilter filter = interpolation switch
        {
            "bicubic" or "random" => ResizeFilter.Bicubic,
            "bilinear" => ResizeFilter.Bilinear,
            _ => throw new ConfigFormatException(file, $"\"preprocess_cfg.interpolation\": expected bicubic or bilinear, found {interpolation}"),
        };
        string resize = config.Text("resize_mode") ?? "shortest";
        int fill = config.Whole("fill_color") ?? 0;
        if (fill is < 0 or > 255) throw new ConfigFormatException(file, $"\"preprocess_cfg.fill_color\": expected 0 to 255, found {fill}");
        float[] mean = PreprocessorConfig.Triple(config, "mean") ?? ClipMean, deviation = PreprocessorConfig.Triple(config, "std") ?? ClipDeviation;
        config.RequireAllRead();
        return Make(width, height, resize, filter, (byte)fill, mean, deviation)
            ?? throw new ConfigFormatException(file, $"\"preprocess_cfg.resize_mode\" {resize} for {width}x{height}: expected shortest or longest with a square size, or squash");
    }

    private static (int Width, int Height) Size(JsonSection config, int absent)
    {
        if (config.Take("size") is not { } size) return (absent, absent);
        if (size.ValueKind == JsonValueKind.Number && size.TryGetInt32(out int side) && side > 0) return (side, side);
        if (size.ValueKind == JsonValueKind.Array && size.GetArrayLength() == 2 && size[0].TryGetInt32(out int height) && size[1].TryGetInt32(out int width)
            && height > 0 && width > 0) return (width, height);
        throw config.Wrong("size", "a whole number or [height, width]", size);
    }

    private static ImagePipeline? Make(int width, int height, string resize, ResizeFilter filter, byte fill, float[] mean, float[] deviation)
    {
        ResizeMode? mode = resize switch { "shortest" when width == height => ResizeMode.ShortSide, "longest" when width == height => ResizeMode.LongSide, "squash" => ResizeMode.Exact, _ => null };
        if (mode is not { } known) return null;
        return new ImagePipeline
        {
            Alpha = AlphaRule.Drop,
            Rgb = RgbConversion.Last,
            Resize = new ResizeStep(known, width, height, filter),
            Crop = known == ResizeMode.Exact ? null : new CropStep(width, height, CropRounding.HalfEven, fill),
            Scaling = new PixelScaling(1 / 255.0, false, mean, deviation),
        };
    }
}
