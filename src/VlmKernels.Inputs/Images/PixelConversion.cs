namespace VlmKernels.Inputs;

/// <summary>Conversions to RGB with Pillow's integer arithmetic.</summary>
internal static class PixelConversion
{
    /// <summary>Grey to RGB: the value three times.</summary>
    public static RgbImage FromGrey(ReadOnlySpan<byte> grey, int width, int height)
    {
        var rgb = new byte[(long)width * height * 3];
        for (int i = 0, o = 0; i < grey.Length; i++, o += 3) rgb[o] = rgb[o + 1] = rgb[o + 2] = grey[i];
        return new RgbImage(width, height, rgb);
    }

    /// <summary>RGBA (not premultiplied) to RGB.</summary>
    public static RgbImage FromRgba(ReadOnlySpan<byte> rgba, int width, int height, AlphaRule alpha)
    {
        var rgb = new byte[(long)width * height * 3];
        int o = 0;
        for (int i = 0; i < rgba.Length; i += 4, o += 3)
        {
            byte a = rgba[i + 3];
            bool keep = a == 255 || alpha == AlphaRule.Drop;
            rgb[o] = keep ? rgba[i] : OnWhite(rgba[i], a);
            rgb[o + 1] = keep ? rgba[i + 1] : OnWhite(rgba[i + 1], a);
            rgb[o + 2] = keep ? rgba[i + 2] : OnWhite(rgba[i + 2], a);
        }
        return new RgbImage(width, height, rgb);
    }

    // Pillow's alpha_composite over opaque white: 7 extra bits, division by 255 with rounding.
    private static byte OnWhite(byte value, byte alpha)
    {
        if (alpha == 0) return 255;
        uint weight = (uint)alpha << 7;
        uint sum = value * weight + 255 * ((255u << 7) - weight) + (0x80u << 7);
        return (byte)((((sum >> 8) + sum) >> 8) >> 7);
    }
}
