using System.Text.Json;

namespace VlmKernels.Inputs;

/// <summary>
/// The preprocessing of a vision tower as data: RGB, resize, centred crop on 8 bit pixels, then a table from bytes to floats.
/// Pictures are turned into RGB first; the decoder does that by <see cref="Alpha"/>.
/// </summary>
public sealed record ImagePipeline
{
    private readonly PixelScaling scaling = null!;
    private readonly float[] table = [];

    /// <summary>What the decoder does with transparency for this pipeline.</summary>
    public AlphaRule Alpha { get; init; } = AlphaRule.OnWhite;

    /// <summary>The resize, or null for none.</summary>
    public ResizeStep? Resize { get; init; }

    /// <summary>The centred crop after the resize, or null for none.</summary>
    public CropStep? Crop { get; init; }

    /// <summary>From bytes to floats.</summary>
    /// <exception cref="ArgumentException">Means or deviations that are not three numbers.</exception>
    public required PixelScaling Scaling
    {
        get => scaling;
        init => (scaling, table) = (value, value.MakeTable());
    }

    /// <summary>[3, 256]: <c>ByteTable[channel * 256 + byte]</c> is the network's input, bit-identical to the reference's arithmetic.</summary>
    public ReadOnlyMemory<float> ByteTable => table;

    /// <summary>Reads a <c>preprocessor_config.json</c>: CLIP (also Florence-2), BLIP, SigLIP, EfficientNet (ALIGN) and VideoMAE (X-CLIP) processors, current and old style.</summary>
    /// <param name="path">The file, or the folder that holds it.</param>
    /// <exception cref="ConfigFormatException">An unknown processor or key, or a value of the wrong kind.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ImagePipeline FromPreprocessorConfig(string path)
    {
        if (Directory.Exists(path)) path = Path.Combine(path, "preprocessor_config.json");
        try
        {
            return PreprocessorConfig.Read(JsonSection.Parse(path), path);
        }
        catch (InvalidOperationException e)
        {
            // What the JSON reader throws for text that is not valid Unicode.
            throw new ConfigFormatException($"{path}: a value of the wrong kind ({e.Message})", e);
        }
    }

    /// <summary>OpenAI's CLIP transform: short side to size, bicubic, centred crop, CLIP's mean and deviation. Transparency is dropped.</summary>
    public static ImagePipeline OpenAi(int size) => OpenClipConfig.Clip(size);

    /// <summary>open_clip's evaluation transform from the <c>preprocess_cfg</c> of <c>open_clip_config.json</c>.</summary>
    /// <param name="preprocessConfig">The JSON object; keys mean, std, interpolation, resize_mode, fill_color, size, mode.</param>
    /// <param name="size">The tower's <c>image_size</c>, used when the object has no size.</param>
    /// <param name="file">What error messages call the file.</param>
    /// <exception cref="ConfigFormatException">An unknown key, or a value of the wrong kind.</exception>
    public static ImagePipeline OpenClip(JsonElement preprocessConfig, int size, string file = "open_clip_config.json") =>
        OpenClipConfig.Read(preprocessConfig, size, file);

    /// <summary>The decoder's options for this pipeline.</summary>
    /// <param name="applyOrientation">Whether EXIF orientation is applied: transformers does for pictures loaded by path, OpenAI and open_clip do not.</param>
    public DecodeOptions DecodeOptions(bool applyOrientation) => new(Alpha, applyOrientation);

    /// <summary>The size of the pixels that a picture becomes.</summary>
    public (int Width, int Height) OutputSize(int width, int height) =>
        Crop is { } crop ? (crop.Width, crop.Height) : Resize?.TargetSize(width, height) ?? (width, height);

    /// <summary>Resizes and crops into the caller's memory.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="pixels">[height, width, 3] of <see cref="OutputSize"/>, written.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Apply(RgbImage image, Span<byte> pixels)
    {
        ArgumentNullException.ThrowIfNull(image);
        (int width, int height) = OutputSize(image.Width, image.Height);
        if (pixels.Length != (long)width * height * 3) throw new ArgumentException($"{width}x{height} RGB pixels take {(long)width * height * 3} bytes, not {pixels.Length}", nameof(pixels));
        (int fullWidth, int fullHeight) = Resize?.TargetSize(image.Width, image.Height) ?? (image.Width, image.Height);
        CropStep crop = Crop ?? new CropStep(fullWidth, fullHeight, CropRounding.Floor);
        int left = PictureGeometry.CropStart(fullWidth, crop.Width, crop.Rounding), top = PictureGeometry.CropStart(fullHeight, crop.Height, crop.Rounding);
        var window = new ResizeWindow(Math.Max(left, 0), Math.Max(top, 0), Math.Min(crop.Width, fullWidth), Math.Min(crop.Height, fullHeight));
        if (window.Width == width && window.Height == height)
        {
            Run(image, pixels, fullWidth, fullHeight, window);
            return;
        }
        var inner = new byte[window.Width * window.Height * 3];
        Run(image, inner, fullWidth, fullHeight, window);
        pixels.Fill(crop.Fill);
        for (int y = 0; y < window.Height; y++)
        {
            int at = ((y + Math.Max(-top, 0)) * width + Math.Max(-left, 0)) * 3;
            inner.AsSpan(y * window.Width * 3, window.Width * 3).CopyTo(pixels[at..]);
        }
    }

    /// <summary>The whole preprocessing to floats, for tests and tools; towers read bytes and <see cref="ByteTable"/>.</summary>
    /// <returns>[3, height, width] of <see cref="OutputSize"/>.</returns>
    public float[] ToTensor(RgbImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        (int width, int height) = OutputSize(image.Width, image.Height);
        var pixels = new byte[width * height * 3];
        Apply(image, pixels);
        ReadOnlySpan<float> floats = ByteTable.Span;
        var tensor = new float[pixels.Length];
        for (int i = 0, plane = width * height; i < plane; i++)
        {
            for (int c = 0; c < 3; c++) tensor[c * plane + i] = floats[c * 256 + pixels[i * 3 + c]];
        }
        return tensor;
    }

    private void Run(RgbImage image, Span<byte> target, int width, int height, ResizeWindow window) =>
        PillowResize.ResizeWindow(
            image.Pixels, image.Width, image.Height, 3, target, width, height, window, Resize?.Filter ?? ResizeFilter.Nearest, Resize?.Order ?? ResizePassOrder.Pillow12);
}
