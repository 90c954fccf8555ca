using System.Text.Json;

namespace VlmKernels.Inputs;

/// <summary>
/// The preprocessing of a vision tower as data: RGB, resize, centred crop on 8 bit pixels, then a table from bytes to floats.
/// Pictures come as RGB, or in the mode of their file (<see cref="IImageDecoder.DecodeNativeFile"/>) where <see cref="Rgb"/> and <see cref="Alpha"/> are to decide.
/// </summary>
public sealed record ImagePipeline
{
    private readonly PixelScaling scaling = null!;
    private readonly float[] table = [];

    /// <summary>What becomes of transparency.</summary>
    public AlphaRule Alpha { get; init; } = AlphaRule.OnWhite;

    /// <summary>When pictures are turned into RGB.</summary>
    public RgbConversion Rgb { get; init; } = RgbConversion.First;

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

    /// <summary>OpenAI's CLIP transform: short side to size, bicubic, centred crop, CLIP's mean and deviation; RGB comes last and drops transparency.</summary>
    public static ImagePipeline OpenAi(int size) => OpenClipConfig.Clip(size);

    /// <summary>salesforce/BLIP's transform: RGB without transparency, squashed to size, bicubic, CLIP's mean and deviation.</summary>
    public static ImagePipeline Blip(int size) => new()
    {
        Alpha = AlphaRule.Drop,
        Resize = new ResizeStep(ResizeMode.Exact, size, size, ResizeFilter.Bicubic),
        Scaling = new PixelScaling(1 / 255.0, false, OpenClipConfig.ClipMean, OpenClipConfig.ClipDeviation),
    };

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

    /// <summary>Channels of the pixels that a picture becomes: 3, unless it is never turned into RGB.</summary>
    public int OutputChannels(NativeImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        return Rgb == RgbConversion.Never ? ArrayMode(image.Mode) is PixelMode.Grey ? 1 : image.PixelSize : 3;
    }

    /// <summary>Resizes and crops into the caller's memory.</summary>
    /// <param name="image">The picture, RGB or in the mode of its file.</param>
    /// <param name="pixels">[height, width, 3] of <see cref="OutputSize"/>, written.</param>
    /// <exception cref="ArgumentException">The span has another length.</exception>
    public void Apply(NativeImage image, Span<byte> pixels)
    {
        int channels = OutputChannels(image);
        (int width, int height) = OutputSize(image.Width, image.Height);
        long bytes = (long)width * height * channels;
        if (pixels.Length != bytes) throw new ArgumentException($"{width}x{height} pixels of {channels} channels take {bytes} bytes, not {pixels.Length}", nameof(pixels));
        if (Rgb == RgbConversion.First) image = image.ToRgb(Alpha);
        else if (Rgb == RgbConversion.Never) image = AsArray(image);
        if (Rgb != RgbConversion.Last || image is RgbImage)
        {
            ResizeAndCrop(image, pixels, width, height);
            return;
        }
        var native = new byte[width * height * image.PixelSize];
        ResizeAndCrop(image, native, width, height);
        PixelConversion.ToRgb(image.With(width, height, native), Alpha, pixels);
    }

    /// <summary>The whole preprocessing to floats, for tests and tools; towers read bytes and <see cref="ByteTable"/>.</summary>
    /// <returns>[<see cref="OutputChannels"/>, height, width] of <see cref="OutputSize"/>.</returns>
    /// <exception cref="InvalidOperationException">Other than three channels where means and deviations differ by channel.</exception>
    public float[] ToTensor(NativeImage image)
    {
        int channels = OutputChannels(image);
        if (channels != 3 && Scaling.Mean is not null) throw new InvalidOperationException($"three means for a picture of {channels} channels");
        (int width, int height) = OutputSize(image.Width, image.Height);
        var pixels = new byte[width * height * channels];
        Apply(image, pixels);
        ReadOnlySpan<float> floats = ByteTable.Span;
        var tensor = new float[pixels.Length];
        for (int i = 0, plane = width * height; i < plane; i++)
        {
            for (int c = 0; c < channels; c++) tensor[c * plane + i] = floats[Math.Min(c, 2) * 256 + pixels[i * channels + c]];
        }
        return tensor;
    }

    // What becomes of a picture that passes through an array and loses the name of its mode.
    private static PixelMode ArrayMode(PixelMode mode) => mode switch
    {
        PixelMode.Indexed or PixelMode.Bilevel or PixelMode.Grey16 => PixelMode.Grey,
        PixelMode.Cmyk => PixelMode.Rgba,
        _ => mode,
    };

    private static NativeImage AsArray(NativeImage image)
    {
        PixelMode mode = ArrayMode(image.Mode);
        if (mode == image.Mode) return image;
        // The reference refuses 16 bit values that do not fit 8; here they lose their high byte.
        byte[] pixels = image.Mode == PixelMode.Grey16 ? [.. Enumerable.Range(0, image.Width * image.Height).Select(i => image.Pixels[i * 2])] : image.Pixels.ToArray();
        return new NativeImage(mode, image.Width, image.Height, pixels);
    }

    private void ResizeAndCrop(NativeImage image, Span<byte> pixels, int width, int height)
    {
        (int fullWidth, int fullHeight) = Resize?.TargetSize(image.Width, image.Height) ?? (image.Width, image.Height);
        CropStep crop = Crop ?? new CropStep(fullWidth, fullHeight, CropRounding.Floor);
        int left = PictureGeometry.CropStart(fullWidth, crop.Width, crop.Rounding), top = PictureGeometry.CropStart(fullHeight, crop.Height, crop.Rounding);
        var window = new ResizeWindow(Math.Max(left, 0), Math.Max(top, 0), Math.Min(crop.Width, fullWidth), Math.Min(crop.Height, fullHeight));
        if (window.Width == width && window.Height == height)
        {
            Run(image, pixels, fullWidth, fullHeight, window);
            return;
        }
        int size = image.PixelSize, rowSize = window.Width * size;
        var inner = new byte[window.Height * rowSize];
        Run(image, inner, fullWidth, fullHeight, window);
        pixels.Fill(crop.Fill);
        // The fill is a value, not a byte: its high byte is 0.
        if (image.Mode == PixelMode.Grey16) for (int i = 1; i < pixels.Length; i += 2) pixels[i] = 0;
        for (int y = 0; y < window.Height; y++)
        {
            int at = ((y + Math.Max(-top, 0)) * width + Math.Max(-left, 0)) * size;
            inner.AsSpan(y * rowSize, rowSize).CopyTo(pixels[at..]);
        }
    }

    private void Run(NativeImage image, Span<byte> target, int width, int height, ResizeWindow window) =>
        NativeResize.Resize(image, target, width, height, window, Resize?.Filter ?? ResizeFilter.Nearest, Resize?.Order ?? ResizePassOrder.Pillow12);
}
