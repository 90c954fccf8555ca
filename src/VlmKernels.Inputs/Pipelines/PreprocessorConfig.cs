using System.Text.Json;

namespace VlmKernels.Inputs;

/// <summary>Reads transformers' <c>preprocessor_config.json</c>.</summary>
internal static class PreprocessorConfig
{
    private static readonly float[] Half = [0.5f, 0.5f, 0.5f];

    // Keys that say how files are found, how arrays are laid out or what the text side needs: they do not touch pixels.
    private static readonly string[] Irrelevant =
    [
        "_valid_processor_keys", "auto_map", "data_format", "default_to_square", "device", "disable_grouping", "image_processor_class", "image_seq_length",
        "input_data_format", "processor_class", "_processor_class", "return_tensors", "transformers_version", "use_fast", "_commit_hash", "name_or_path",
    ];

    /// <summary>What a processor class does when a key is absent.</summary>
    private sealed record Defaults(ResizeMode IntegerSize, JsonDefaults Size, bool Crop, float[] Mean, float[] Deviation, ResizeFilter? Filter);

    private sealed record JsonDefaults(ResizeMode Mode, int Width, int Height);

    public static ImagePipeline Read(JsonElement json, string file)
    {
        var config = new JsonSection(json, file);
        bool efficientNet = ProcessorName(config) == "EfficientNet";
        Defaults defaults = For(ProcessorName(config), config);
        config.Ignore(Irrelevant);
        config.Flag("do_convert_rgb", true); // pictures are RGB already, whatever it says
        if (config.Flag("do_pad", false)) throw new ConfigFormatException(file, "\"do_pad\": true is not supported");
        if (config.Take("pad_size") is { } pad) throw config.Wrong("pad_size", "nothing", pad);
        ResizeStep? resize = ReadResize(config, defaults);
        CropStep? crop = ReadCrop(config, defaults);
        PixelScaling scaling = ReadScaling(config, defaults, efficientNet);
        config.RequireAllRead();
        return new ImagePipeline { Resize = resize, Crop = crop, Scaling = scaling };
    }

    /// <summary>Three numbers; null when the key is absent.</summary>
    public static float[]? Triple(JsonSection config, string key)
    {
        if (config.Take(key) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number) return [value.GetSingle(), value.GetSingle(), value.GetSingle()];
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != 3 || value.EnumerateArray().Any(v => v.ValueKind != JsonValueKind.Number))
        {
            throw config.Wrong(key, "three numbers", value);
        }
        return [value[0].GetSingle(), value[1].GetSingle(), value[2].GetSingle()];
    }

    private static string ProcessorName(JsonSection config)
    {
        string? type = config.Text("image_processor_type");
        string name = config.Text("feature_extractor_type") is { } old && type is null ? old : type ?? throw config.Missing("image_processor_type");
        foreach (string ending in (ReadOnlySpan<string>)["ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor"])
        {
            if (name.EndsWith(ending, StringComparison.Ordinal)) return name[..^ending.Length];
        }
        return name;
    }

    private static Defaults For(string processor, JsonSection config) => processor switch
    {
        "CLIP" => new(ResizeMode.ShortSide, new(ResizeMode.ShortSide, 224, 224), true, OpenClipConfig.ClipMean, OpenClipConfig.ClipDeviation, ResizeFilter.Bicubic),
        "Blip" => new(ResizeMode.Exact, new(ResizeMode.Exact, 384, 384), false, OpenClipConfig.ClipMean, OpenClipConfig.ClipDeviation, ResizeFilter.Bicubic),
        "Siglip" => new(ResizeMode.Exact, new(ResizeMode.Exact, 224, 224), false, Half, Half, ResizeFilter.Bicubic),
        "VideoMAE" => new(ResizeMode.ShortSide, new(ResizeMode.ShortSide, 224, 224), true, Half, Half, ResizeFilter.Bilinear),
        // Its default filter changed between versions, so the file must say.
        "EfficientNet" => new(ResizeMode.Exact, new(ResizeMode.Exact, 346, 346), false, Half, Half, null),
        _ => throw new ConfigFormatException(config.File, $"\"image_processor_type\": unknown processor {processor}; known are CLIP, Blip, Siglip, VideoMAE and EfficientNet"),
    };

    private static ResizeStep? ReadResize(JsonSection config, Defaults defaults)
    {
        bool resizes = config.Flag("do_resize", true);
        JsonElement? size = config.Take("size");
        int? resample = config.Whole("resample");
        if (!resizes) return null;
        if (resample is < 0 or > 5) throw new ConfigFormatException(config.File, $"\"resample\": expected 0 to 5, found {resample}");
        ResizeFilter filter = (ResizeFilter?)resample ?? defaults.Filter ?? throw config.Missing("resample");
        if (size is not { } value) return new ResizeStep(defaults.Size.Mode, defaults.Size.Width, defaults.Size.Height, filter);
        if (value.ValueKind == JsonValueKind.Number) return new ResizeStep(defaults.IntegerSize, Side(config, "size", value), Side(config, "size", value), filter);
        var section = new JsonSection(value, config.File, "size.");
        ResizeStep step = section.Take("shortest_edge") is { } edge
            ? new ResizeStep(ResizeMode.ShortSide, Side(section, "shortest_edge", edge), Side(section, "shortest_edge", edge), filter)
            : new ResizeStep(ResizeMode.Exact, Side(section, "width", section.Require("width")), Side(section, "height", section.Require("height")), filter);
        section.RequireAllRead();
        return step;
    }

    private static CropStep? ReadCrop(JsonSection config, Defaults defaults)
    {
        bool crops = config.Flag("do_center_crop", defaults.Crop);
        JsonElement? size = config.Take("crop_size");
        if (!crops) return null;
        if (size is not { } value) return new CropStep(defaults.Size.Width, defaults.Size.Height, CropRounding.Floor);
        if (value.ValueKind == JsonValueKind.Number) return new CropStep(Side(config, "crop_size", value), Side(config, "crop_size", value), CropRounding.Floor);
        var section = new JsonSection(value, config.File, "crop_size.");
        var step = new CropStep(Side(section, "width", section.Require("width")), Side(section, "height", section.Require("height")), CropRounding.Floor);
        section.RequireAllRead();
        return step;
    }

    private static PixelScaling ReadScaling(JsonSection config, Defaults defaults, bool efficientNet)
    {
        bool rescales = config.Flag("do_rescale", true), normalises = config.Flag("do_normalize", true);
        double factor = config.Number("rescale_factor") ?? 1 / 255.0;
        float[] mean = Triple(config, "image_mean") ?? defaults.Mean, deviation = Triple(config, "image_std") ?? defaults.Deviation;
        bool minusOne = efficientNet && config.Flag("rescale_offset", false), again = efficientNet && config.Flag("include_top", true);
        return new PixelScaling(rescales ? factor : null, rescales && minusOne, normalises ? mean : null, normalises ? deviation : null, again ? deviation : null);
    }

    private static int Side(JsonSection section, string key, JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int side) && side is > 0 and <= 65536 ? side : throw section.Wrong(key, "1 to 65536 pixels", value);
}
