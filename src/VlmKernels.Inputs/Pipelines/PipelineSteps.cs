namespace VlmKernels.Inputs;

/// <summary>When a pipeline turns a picture into RGB. It matters for pictures that are not RGB: palette, alpha, CMYK, 16 bits, black and white.</summary>
public enum RgbConversion
{
    /// <summary>Before everything else, as transformers does.</summary>
    First,

    /// <summary>After resize and crop, which work in the file's own mode: OpenAI and open_clip. Indices then take the nearest pixel, whatever the filter.</summary>
    Last,

    /// <summary>
    /// Not at all, so that a grey picture gives one channel and RGBA four: EfficientNet's processor, which reads indices as grey and CMYK as RGBA.
    /// No vision tower takes that; it is here to compare with the reference.
    /// </summary>
    Never,
}

/// <summary>How the target size of a resize follows from the picture.</summary>
public enum ResizeMode
{
    /// <summary>The shorter side becomes the given size, the longer one keeps the aspect ratio (cut to a whole number).</summary>
    ShortSide,

    /// <summary>The longer side becomes the given size; a crop step adds the border.</summary>
    LongSide,

    /// <summary>Exactly the given width and height, whatever the aspect ratio.</summary>
    Exact,
}

/// <summary>The resize of a pipeline.</summary>
/// <param name="Mode">How the target size follows from the picture.</param>
/// <param name="Width">Target columns; the size for <see cref="ResizeMode.ShortSide"/> and <see cref="ResizeMode.LongSide"/>.</param>
/// <param name="Height">Target rows; equal to <paramref name="Width"/> unless the mode is <see cref="ResizeMode.Exact"/>.</param>
/// <param name="Filter">Resampling filter.</param>
/// <param name="Order">Order of the passes.</param>
public sealed record ResizeStep(ResizeMode Mode, int Width, int Height, ResizeFilter Filter, ResizePassOrder Order = ResizePassOrder.Pillow12)
{
    /// <summary>The size that a picture gets.</summary>
    public (int Width, int Height) TargetSize(int width, int height) => Mode switch
    {
        ResizeMode.ShortSide => PictureGeometry.ShortSide(width, height, Width),
        ResizeMode.LongSide => PictureGeometry.LongSide(width, height, Width),
        _ => (Width, Height),
    };
}

/// <summary>The centred crop of a pipeline. A picture that is too small gets a border.</summary>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rounding">Where the crop starts when the rest is odd.</param>
/// <param name="Fill">Grey level of the border.</param>
public sealed record CropStep(int Width, int Height, CropRounding Rounding, byte Fill = 0);

/// <summary>
/// How bytes become the network's floats, in the order and precision of the references: byte * factor in double, rounded to single;
/// minus 1 if asked; minus mean, divided by deviation, in single.
/// </summary>
/// <param name="Factor">Factor of the rescale; null leaves 0..255.</param>
/// <param name="MinusOne">Subtract 1 after the factor (EfficientNet's rescale_offset).</param>
/// <param name="Mean">Three means, or null for no normalisation.</param>
/// <param name="Deviation">Three standard deviations, or null for no normalisation.</param>
/// <param name="SecondDeviation">Three divisors of a second division (EfficientNet's include_top), or null.</param>
public sealed record PixelScaling(
    double? Factor, bool MinusOne, IReadOnlyList<float>? Mean, IReadOnlyList<float>? Deviation, IReadOnlyList<float>? SecondDeviation = null)
{
    /// <summary>[3, 256]: the float for every channel and byte.</summary>
    /// <exception cref="ArgumentException">Means or deviations that are not three numbers.</exception>
    public float[] MakeTable()
    {
        foreach (IReadOnlyList<float>? list in (ReadOnlySpan<IReadOnlyList<float>?>)[Mean, Deviation, SecondDeviation])
        {
            if (list is not null && list.Count != 3) throw new ArgumentException($"expected three numbers, one a channel, found {list.Count}");
        }
        var table = new float[3 * 256];
        for (int c = 0; c < 3; c++)
        {
            for (int value = 0; value < 256; value++) table[c * 256 + value] = Scale(c, value);
        }
        return table;
    }

    private float Scale(int channel, int value)
    {
        float x = Factor is { } factor ? (float)(value * factor) : value;
        if (MinusOne) x -= 1;
        if (Mean is not null && Deviation is not null) x = (x - Mean[channel]) / Deviation[channel];
        return SecondDeviation is null ? x : x / SecondDeviation[channel];
    }
}
