using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>A segment of a JPEG file: its marker's second byte, and its content without the length.</summary>
internal readonly record struct JpegSegment(int Marker, Range Content);

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
        while (NextSegment(file, ref position) is { } segment)
        {
            if (segment.Marker == EndOfImage) return;
        }
        throw new ImageFormatException(name, "truncated JPEG: no end-of-image marker");
    }

    /// <summary>The next marker that is not a restart; null at the end, or when a segment reaches past it.</summary>
    public static JpegSegment? NextSegment(ReadOnlySpan<byte> file, ref int position)
    {
        while (true)
        {
            int marker = NextMarker(file, ref position);
            if (marker < 0) return null;
            if (marker == EndOfImage) return new JpegSegment(marker, position..position);
            if (IsStandalone(marker)) continue;
            if (position + 2 > file.Length) return null;
            int start = position + 2;
            position += Math.Max(2, (int)BinaryPrimitives.ReadUInt16BigEndian(file[position..]));
            return position <= file.Length ? new JpegSegment(marker, start..position) : null;
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
