using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>
/// The marker structure of a JPEG file. The codec fills up a file that ends early with grey; Pillow refuses it, and so does this check:
/// the markers must lead to an end-of-image marker.
/// </summary>
internal static class JpegStructure
{
    private const byte EndOfImage = 0xD9;

    /// <summary>Throws unless the walk over the markers meets an end-of-image marker.</summary>
    public static void RequireEnd(ReadOnlySpan<byte> file, string name)
    {
        int position = 2;
        while (true)
        {
            int marker = NextMarker(file, ref position);
            if (marker == EndOfImage) return;
            if (marker < 0) throw new ImageFormatException(name, "truncated JPEG: no end-of-image marker");
            if (IsStandalone(marker)) continue;
            if (position + 2 > file.Length) throw new ImageFormatException(name, "truncated JPEG: a segment without a length");
            position += Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(file[position..]));
            if (position > file.Length) throw new ImageFormatException(name, $"truncated JPEG: segment FF{marker:X2} reaches past the end of the file");
        }
    }

    // Skips entropy-coded data and junk: a marker is FF followed by anything but 00 (stuffing) and FF (fill).
    private static int NextMarker(ReadOnlySpan<byte> file, ref int position)
    {
        while (position < file.Length)
        {
            int at = file[position..].IndexOf((byte)0xFF);
            if (at < 0) return -1;
            position += at + 1;
            while (position < file.Length && file[position] == 0xFF) position++;
            if (position >= file.Length) return -1;
            byte marker = file[position++];
            if (marker != 0) return marker;
        }
        return -1;
    }

    private static bool IsStandalone(int marker) => marker is 0x01 or (>= 0xD0 and <= 0xD8);
}
