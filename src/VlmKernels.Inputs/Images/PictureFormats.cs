namespace VlmKernels.Inputs;

/// <summary>The formats that are read.</summary>
internal enum PictureFormat { Png, Jpeg, Gif, Bmp, Webp }

/// <summary>Tells picture formats apart by their first bytes, so that no codec is asked to guess about a hostile file.</summary>
internal static class PictureFormats
{
    /// <summary>The format of a file.</summary>
    /// <exception cref="ImageFormatException">Unknown, or known and refused by name.</exception>
    public static PictureFormat Identify(ReadOnlySpan<byte> file, string name)
    {
        if (IsPng(file)) return PictureFormat.Png;
        if (file.Length >= 3 && file[0] == 0xFF && file[1] == 0xD8 && file[2] == 0xFF) return PictureFormat.Jpeg;
        if (file.StartsWith("GIF87a"u8) || file.StartsWith("GIF89a"u8)) return PictureFormat.Gif;
        if (file.StartsWith("BM"u8)) return PictureFormat.Bmp;
        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..].StartsWith("WEBP"u8)) return PictureFormat.Webp;
        throw new ImageFormatException(name, $"expected a PNG, JPEG, GIF, BMP or WebP picture, found {Describe(file)}");
    }

    private static bool IsPng(ReadOnlySpan<byte> file) => file.Length >= 8 && file[0] == 0x89 && file[1..].StartsWith("PNG\r\n\x1a\n"u8);

    private static string Describe(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty) return "an empty file";
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)) return "a TIFF file, which is not supported";
        if (file.StartsWith("\0\0\x01\0"u8)) return "an ICO file, which is not supported";
        if (file.Length >= 12 && file[4..].StartsWith("ftyp"u8)) return "an ISO media file (HEIF, AVIF or video), which is not supported";
        if (file.StartsWith("%PDF"u8)) return "a PDF file, which is not supported";
        return $"bytes {Convert.ToHexString(file[..Math.Min(8, file.Length)])}";
    }
}
