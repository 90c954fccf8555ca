namespace VlmKernels.Inputs;

/// <summary>
/// JPEG files of four components. The codec hands out RGB only, so each component is cut out as a grey JPEG of its own and decoded by the same codec;
/// then the colour conversion of libjpeg and the inversion that Pillow assumes follow.
/// </summary>
internal static class CmykJpeg
{
    /// <summary>
    /// Decodes to CMYK; null for other files and for files that cannot be cut (progressive, subsampled, several scans), which the codec then converts itself.
    /// </summary>
    public static NativeImage? Decode(ReadOnlySpan<byte> file, string name, long maxPixels)
    {
        if (JpegHeader.Read(file, name) is not { CanSplit: true } header) return null;
        byte[][] parts = JpegSplitter.Split(file, header, name);
        var planes = new byte[4][];
        (int width, int height) = (0, 0);
        for (int c = 0; c < 4; c++)
        {
            using var part = CodecPicture.Open(parts[c], PictureFormat.Jpeg, name, maxPixels);
            (planes[c], width, height) = (part.ReadFirstChannel(), part.Width, part.Height);
        }
        var pixels = new byte[(long)width * height * 4];
        for (int i = 0; i < width * height; i++)
        {
            Span<byte> pixel = pixels.AsSpan(i * 4, 4);
            if (header.IsYcck) FromYcc(planes[0][i], planes[1][i] - 128, planes[2][i] - 128, pixel);
            else (pixel[0], pixel[1], pixel[2]) = ((byte)~planes[0][i], (byte)~planes[1][i], (byte)~planes[2][i]);
            pixel[3] = (byte)~planes[3][i];
        }
        return new NativeImage(PixelMode.Cmyk, width, height, pixels);
    }

    // libjpeg gives 255 minus RGB and Pillow inverts it again. Its fixed point numbers have 16 fraction bits.
    private static void FromYcc(int y, int blue, int red, Span<byte> pixel)
    {
        const int Half = 1 << 15;
        pixel[0] = (byte)Math.Clamp(y + ((91881 * red + Half) >> 16), 0, 255);
        pixel[1] = (byte)Math.Clamp(y + ((-22554 * blue - 46802 * red + Half) >> 16), 0, 255);
        pixel[2] = (byte)Math.Clamp(y + ((116130 * blue + Half) >> 16), 0, 255);
    }
}
