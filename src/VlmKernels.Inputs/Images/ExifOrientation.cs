using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>The EXIF orientation tag: reading it from a TIFF block and applying it to pixels.</summary>
internal static class ExifOrientation
{
    private const int OrientationTag = 0x0112;

    /// <summary>The orientation (1 to 8) in an EXIF block, or 0 when it is absent or the block is damaged: damage here never spoils a picture.</summary>
    public static int Parse(ReadOnlySpan<byte> exif)
    {
        if (exif.StartsWith("Exif\0\0"u8)) exif = exif[6..];
        if (exif.Length < 8) return 0;
        bool little = exif.StartsWith("II*\0"u8);
        if (!little && !exif.StartsWith("MM\0*"u8)) return 0;
        uint directory = little ? BinaryPrimitives.ReadUInt32LittleEndian(exif[4..]) : BinaryPrimitives.ReadUInt32BigEndian(exif[4..]);
        if (directory > exif.Length - 2) return 0;
        int entries = Read16(exif, (int)directory, little);
        for (int i = 0; i < entries; i++)
        {
            int at = (int)directory + 2 + 12 * i;
            if (at + 12 > exif.Length) return 0;
            if (Read16(exif, at, little) != OrientationTag) continue;
            int value = Read16(exif, at + 8, little);
            return value is >= 1 and <= 8 ? value : 0;
        }
        return 0;
    }

    /// <summary>Turns and mirrors a picture so that orientation becomes 1. Values outside 2..8 leave it alone.</summary>
    public static NativeImage Apply(NativeImage image, int orientation)
    {
        if (orientation is < 2 or > 8) return image;
        bool swap = orientation >= 5;
        int width = swap ? image.Height : image.Width, height = swap ? image.Width : image.Height;
        // Source position of the target's first pixel, and the steps for one column and one row, in pixels.
        int w = image.Width, last = w - 1, bottom = (image.Height - 1) * w;
        (int start, int column, int row) = orientation switch
        {
            2 => (last, -1, w),
            3 => (bottom + last, -1, -w),
            4 => (bottom, 1, -w),
            5 => (0, w, 1),
            6 => (bottom, -w, 1),
            7 => (bottom + last, -w, -1),
            _ => (last, w, -1),
        };
        ReadOnlySpan<byte> source = image.Pixels;
        var target = new byte[source.Length];
        int o = 0, size = image.PixelSize;
        for (int y = 0; y < height; y++)
        {
            long at = start + (long)y * row;
            for (int x = 0; x < width; x++, at += column, o += size)
            {
                source.Slice((int)at * size, size).CopyTo(target.AsSpan(o));
            }
        }
        return image.With(width, height, target);
    }

    private static int Read16(ReadOnlySpan<byte> data, int at, bool little) =>
        little ? BinaryPrimitives.ReadUInt16LittleEndian(data[at..]) : BinaryPrimitives.ReadUInt16BigEndian(data[at..]);
}
