namespace VlmKernels.Inputs;

/// <summary>Conversions to RGB with Pillow's integer arithmetic.</summary>
internal static class PixelConversion
{
    /// <summary>Writes a picture as [height, width, 3] red, green, blue.</summary>
    public static void ToRgb(NativeImage image, AlphaRule alpha, Span<byte> rgb)
    {
        ReadOnlySpan<byte> pixels = image.Pixels;
        switch (image.Mode)
        {
            case PixelMode.Rgb: pixels.CopyTo(rgb); break;
            case PixelMode.Rgba: FromRgba(pixels, rgb); break;
            case PixelMode.Indexed: FromIndices(pixels, image.Palette, rgb); break;
            case PixelMode.Cmyk: FromCmyk(pixels, rgb); break;
            case PixelMode.Grey16: FromGrey16(pixels, rgb); break;
            default: FromGrey(pixels, image.PixelSize, rgb); break;
        }
        if (alpha == AlphaRule.OnWhite) CompositeOnWhite(image, rgb);
    }

    /// <summary>The colours of RGBA pixels, whatever their alpha.</summary>
    public static void FromRgba(ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < pixels.Length; i += 4, o += 3) (rgb[o], rgb[o + 1], rgb[o + 2]) = (pixels[i], pixels[i + 1], pixels[i + 2]);
    }

    private static void FromGrey(ReadOnlySpan<byte> pixels, int size, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < pixels.Length; i += size, o += 3) rgb[o] = rgb[o + 1] = rgb[o + 2] = pixels[i];
    }

    // Pillow saturates 16 bits at 255 instead of scaling them.
    private static void FromGrey16(ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < pixels.Length; i += 2, o += 3) rgb[o] = rgb[o + 1] = rgb[o + 2] = pixels[i + 1] == 0 ? pixels[i] : (byte)255;
    }

    private static void FromIndices(ReadOnlySpan<byte> pixels, ReadOnlySpan<byte> palette, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < pixels.Length; i++, o += 3) palette.Slice(pixels[i] * 4, 3).CopyTo(rgb[o..]);
    }

    private static void FromCmyk(ReadOnlySpan<byte> pixels, Span<byte> rgb)
    {
        for (int i = 0, o = 0; i < pixels.Length; i += 4, o += 3)
        {
            int light = 255 - pixels[i + 3];
            for (int c = 0; c < 3; c++) rgb[o + c] = (byte)(light - Scale(pixels[i + c], light));
        }
    }

    private static int Scale(int value, int by)
    {
        int product = value * by + 128;
        return ((product >> 8) + product) >> 8;
    }

    private static void CompositeOnWhite(NativeImage image, Span<byte> rgb)
    {
        if (image.Mode is not (PixelMode.Rgba or PixelMode.GreyAlpha or PixelMode.Indexed) && image.TransparentColour is null) return;
        ReadOnlySpan<byte> pixels = image.Pixels, palette = image.Palette;
        for (int i = 0, o = 0; o < rgb.Length; i++, o += 3)
        {
            byte alpha = image.Mode switch
            {
                PixelMode.Rgba => pixels[i * 4 + 3],
                PixelMode.GreyAlpha => pixels[i * 2 + 1],
                PixelMode.Indexed => palette[pixels[i] * 4 + 3],
                _ => image.TransparentColour == (rgb[o], rgb[o + 1], rgb[o + 2]) ? (byte)0 : (byte)255,
            };
            if (alpha == 255) continue;
            for (int c = o; c < o + 3; c++) rgb[c] = OnWhite(rgb[c], alpha);
        }
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
