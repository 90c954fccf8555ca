using System.Buffers.Binary;
using System.IO.Compression;

namespace VlmKernels.Tasks;

/// <summary>Floats of a NumPy file (<see cref="NpyHeader"/>), packed with gzip where its name ends with <c>.gz</c>.</summary>
/// <param name="Shape">Extents; none for a single number.</param>
/// <param name="Values">The values, row by row.</param>
public sealed record NpyFile(IReadOnlyList<int> Shape, float[] Values)
{
    private const int MostBytes = 1 << 27;

    /// <summary>Reads a file. What it announces is checked before memory is asked for.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or holds something else than floats in C order; the message names the file.</exception>
    /// <exception cref="IOException">It cannot be opened or read.</exception>
    public static NpyFile Read(string path)
    {
        byte[] file = Bytes(path);
        var header = NpyHeader.Read(file.AsSpan(0, Math.Min(file.Length, NpyHeader.Longest)), path);
        int found = file.Length - header.DataOffset;
        if (header.Count > MostBytes || header.Count * header.NumberBytes != found)
        {
            throw new InvalidDataException($"{path}: expected numbers of {header.NumberBytes} bytes for the shape [{string.Join(", ", header.Shape)}], found {found} bytes");
        }
        return new NpyFile(header.Shape, Floats(file.AsSpan(header.DataOffset), header.NumberBytes));
    }

    private static byte[] Bytes(string path)
    {
        using var file = File.OpenRead(path);
        using Stream stream = path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? new GZipStream(file, CompressionMode.Decompress) : file;
        var bytes = new MemoryStream();
        byte[] piece = new byte[1 << 16];
        try
        {
            for (int count; (count = stream.Read(piece)) > 0;)
            {
                bytes.Write(piece, 0, count);
                if (bytes.Length > MostBytes) throw new InvalidDataException($"{path}: expected at most {MostBytes} bytes, found more");
            }
        }
        catch (InvalidDataException e) when (!e.Message.StartsWith(path, StringComparison.Ordinal))
        {
            throw new InvalidDataException($"{path}: expected a whole file packed with gzip, found one that is cut short or damaged", e);
        }
        return bytes.ToArray();
    }

    private static float[] Floats(ReadOnlySpan<byte> data, int size)
    {
        float[] values = new float[data.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            var at = data[(i * size)..];
            values[i] = size switch
            {
                2 => (float)BinaryPrimitives.ReadHalfLittleEndian(at),
                4 => BinaryPrimitives.ReadSingleLittleEndian(at),
                _ => (float)BinaryPrimitives.ReadDoubleLittleEndian(at),
            };
        }
        return values;
    }
}
