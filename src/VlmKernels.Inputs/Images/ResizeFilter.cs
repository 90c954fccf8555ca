namespace VlmKernels.Inputs;

/// <summary>Pillow's resampling filters; the values are Pillow's numbers, which <c>preprocessor_config.json</c> stores under <c>resample</c>.</summary>
public enum ResizeFilter
{
    /// <summary>Nearest pixel.</summary>
    Nearest = 0,

    /// <summary>Windowed sinc over 3 pixels on each side.</summary>
    Lanczos = 1,

    /// <summary>Triangle, 1 pixel on each side.</summary>
    Bilinear = 2,

    /// <summary>Cubic with a = -0.5, 2 pixels on each side.</summary>
    Bicubic = 3,

    /// <summary>Average of the covered pixels.</summary>
    Box = 4,

    /// <summary>Hamming-windowed sinc, 1 pixel on each side.</summary>
    Hamming = 5,
}

/// <summary>Which of the two passes of a resize runs first. Each pass rounds to 8 bits, so the order shows in the result.</summary>
public enum ResizePassOrder
{
    /// <summary>Horizontal first, always: Pillow 12 and older, which the published models were trained with.</summary>
    Pillow12,

    /// <summary>Vertical first when both sides change, the height shrinks and the height loses more than twice the pixels the width loses.</summary>
    Pillow13,
}

/// <summary>The kernel functions and their supports, in source pixels before scaling.</summary>
internal static class ResizeKernel
{
    public static double Support(ResizeFilter filter) => filter switch
    {
        ResizeFilter.Box => 0.5,
        ResizeFilter.Bilinear or ResizeFilter.Hamming => 1,
        ResizeFilter.Bicubic => 2,
        ResizeFilter.Lanczos => 3,
        _ => throw new ArgumentOutOfRangeException(nameof(filter), filter, "not a filter with a kernel"),
    };

    public static double Weight(ResizeFilter filter, double x) => filter switch
    {
        ResizeFilter.Box => x is > -0.5 and <= 0.5 ? 1 : 0,
        ResizeFilter.Bilinear => Math.Abs(x) < 1 ? 1 - Math.Abs(x) : 0,
        ResizeFilter.Hamming => Hamming(Math.Abs(x)),
        ResizeFilter.Bicubic => Bicubic(Math.Abs(x)),
        _ => x is >= -3 and < 3 ? Sinc(x) * Sinc(x / 3) : 0,
    };

    private static double Hamming(double x)
    {
        if (x == 0) return 1;
        if (x >= 1) return 0;
        x *= Math.PI;
        return Math.Sin(x) / x * (0.54 + 0.46 * Math.Cos(x));
    }

    private static double Bicubic(double x)
    {
        const double A = -0.5;
        if (x < 1) return ((A + 2) * x - (A + 3)) * x * x + 1;
        return x < 2 ? (((x - 5) * x + 8) * x - 4) * A : 0;
    }

    private static double Sinc(double x)
    {
        if (x == 0) return 1;
        x *= Math.PI;
        return Math.Sin(x) / x;
    }
}
