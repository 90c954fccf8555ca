using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace VlmKernels.Tasks;

/// <summary>
/// Floats of a NumPy file (<c>numpy/lib/format.py</c>, versions 1 to 3), packed with gzip where its name ends with <c>.gz</c>: little-endian f2, f4
/// or f8 in C order.
/// </summary>
/// <param name="Shape">Extents; none for a single number.</param>
/// <param name="Values">The values, row by row.</param>
public sealed partial record NpyFile(IReadOnlyList<int> Shape, float[] Values)
{
    private const int LongestHeader = 1 << 16, MostValues = 1 << 24;

    /// <summary>Reads a file. What it announces is checked before memory is asked for.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or holds something else than floats in C order; the message names the file.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    public static NpyFile Read(string path)
    {
        using var file = File.OpenRead(path);
        using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            return Read(stream, path);
        }
        catch (Exception e) when (e is EndOfStreamException || (e is InvalidDataException && !e.Message.StartsWith(path, StringComparison.Ordinal)))
        {
            throw new InvalidDataException($"{path}: expected a whole NumPy file, found one that is cut short or damaged", e);
        }
    }

    private static NpyFile Read(Stream stream, string path)
    {
        byte[] start = Bytes(stream, 8);
        if (start[0] != 0x93 || !start.AsSpan(1, 5).SequenceEqual("NUMPY"u8)) throw new InvalidDataException($"{path}: expected a NumPy file (.npy), found other bytes");
        if (start[6] is 0 or > 3) throw new InvalidDataException($"{path}: expected version 1 to 3 of the format, found {start[6]}");
        long length = start[6] == 1 ? BinaryPrimitives.ReadUInt16LittleEndian(Bytes(stream, 2)) : BinaryPrimitives.ReadUInt32LittleEndian(Bytes(stream, 4));
        if (length > LongestHeader) throw new InvalidDataException($"{path}: expected a header of at most {LongestHeader} bytes, found {length}");
        string header = Encoding.UTF8.GetString(Bytes(stream, (int)length));
        if (Header().Match(header) is not { Success: true } match) throw new InvalidDataException($"{path}: expected '<f2', '<f4' or '<f8' in C order, found {header.Trim()[..Math.Min(100, header.Trim().Length)]}");
        int[] shape = Extents(match.Groups["shape"].Value, path);
        int count = (int)shape.Aggregate(1L, (product, extent) => product * extent <= MostValues ? product * extent : throw new InvalidDataException($"{path}: expected at most {MostValues} values, found the shape [{string.Join(", ", shape)}]"));
        int size = match.Groups["size"].Value[0] - '0';
        byte[] data = Bytes(stream, count * size);
        if (stream.ReadByte() >= 0) throw new InvalidDataException($"{path}: expected {count} values, found more");
        return new NpyFile(shape, Floats(data, size));
    }

    private static byte[] Bytes(Stream stream, int count)
    {
        byte[] bytes = new byte[count];
        stream.ReadExactly(bytes);
        return bytes;
    }

    private static int[] Extents(string text, string path)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        int[] extents = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out extents[i])) throw new InvalidDataException($"{path}: expected whole numbers as shape, found ({text})");
        }
        return extents;
    }

    private static float[] Floats(byte[] data, int size)
    {
        float[] values = new float[data.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            var at = data.AsSpan(i * size);
            values[i] = size switch
            {
                2 => (float)BinaryPrimitives.ReadHalfLittleEndian(at),
                4 => BinaryPrimitives.ReadSingleLittleEndian(at),
                _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(at),
            };
        }
        return values;
    }

    [GeneratedRegex(@"^\{'descr': '<f(?<size>[248])', 'fortran_order': False, 'shape': \((?<shape>[0-9, ]*)\),? *\}\s*$")]
    private static partial Regex Header();
}
