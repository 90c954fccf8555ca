namespace VlmKernels.Inputs;

/// <summary>Conventions for the place of a centred crop. They differ in rounding only.</summary>
public enum CropRounding
{
    /// <summary>torchvision, OpenAI, open_clip: half to even; a picture that is too small starts at floor(deficit / 2).</summary>
    HalfEven,

    /// <summary>transformers' PIL processors: floor; a picture that is too small starts at ceil(deficit / 2).</summary>
    Floor,

    /// <summary>transformers' tensor processors: floor; a picture that is too small starts at floor(deficit / 2).</summary>
    Truncate,
}

/// <summary>Sizes and offsets of resizing and cropping, in whole pixels.</summary>
public static class PictureGeometry
{
    /// <summary>torchvision and transformers: the shorter side becomes <paramref name="shortSide"/>, the longer one is cut to a whole number.</summary>
    public static (int Width, int Height) ShortSide(int width, int height, int shortSide)
    {
        int Long(int longer, int shorter) => (int)((double)((long)shortSide * longer) / shorter);
        return width <= height ? (shortSide, Long(height, width)) : (Long(width, height), shortSide);
    }

    /// <summary>mmcv and OpenCV flows: both sides times shortSide / shorter side, rounded.</summary>
    public static (int Width, int Height) ShortSideRounded(int width, int height, int shortSide)
    {
        double scale = (double)shortSide / Math.Min(width, height);
        return ((int)(width * scale + 0.5), (int)(height * scale + 0.5));
    }

    /// <summary>open_clip's "longest": both sides divided by the larger ratio to the target, half to even.</summary>
    public static (int Width, int Height) LongSide(int width, int height, int longSide)
    {
        double ratio = Math.Max((double)width / longSide, (double)height / longSide);
        int Side(int side) => Math.Max(1, (int)Math.Round(side / ratio, MidpointRounding.ToEven));
        return (Side(width), Side(height));
    }

    /// <summary>Where a centred crop starts in the picture; negative when the picture is smaller and the crop has a border.</summary>
    public static int CropStart(int length, int crop, CropRounding rounding)
    {
        int rest = length - crop;
        if (rest >= 0) return rounding == CropRounding.HalfEven ? (int)Math.Round(rest / 2.0, MidpointRounding.ToEven) : rest / 2;
        return rounding == CropRounding.Floor ? -((1 - rest) / 2) : -(-rest / 2);
    }
}
