using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace VlmKernels.Weights;

/// <summary>A tensor to be written: its description, and its bytes on demand.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="DType">Element type.</param>
/// <param name="Shape">Extents, outermost first; empty for a scalar.</param>
/// <param name="WriteTo">Writes exactly the tensor's bytes: little-endian, row-major, without gaps.</param>
public sealed record TensorSource(string Name, FileDType DType, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    private const int ChunkBytes = 1 << 20, KeptResident = 1 << 26;

    /// <summary>A tensor whose bytes are at hand.</summary>
    public static TensorSource FromBytes(string name, FileDType dtype, IReadOnlyList<long> shape, ReadOnlyMemory<byte> bytes) =>
        new(name, dtype, shape, stream => stream.Write(bytes.Span));

    /// <summary>A tensor of another file under a new name; read in pieces, its pages released on the way.</summary>
    public static TensorSource Copy(StoredTensor tensor, string name) => new(name, tensor.DType, tensor.Shape, stream =>
    {
        byte[] chunk = new byte[Math.Min(tensor.ByteLength, ChunkBytes)];
        for (long done = 0; done < tensor.ByteLength; done += chunk.Length)
        {
            Span<byte> piece = chunk.AsSpan(0, (int)Math.Min(chunk.Length, tensor.ByteLength - done));
            tensor.ReadBytes(done, piece);
            stream.Write(piece);
            if (done % KeptResident == 0) tensor.ReleasePages();
        }
        tensor.ReleasePages();
    });
}

/// <summary>Writes safetensors files: the header first, then one tensor after the other, so that only one has to be in memory.</summary>
public static class SafetensorsWriter
{
    private const int Alignment = 8;

    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// Writes a file under a temporary name beside <paramref name="path"/> and renames it when it is complete. Wider types come first and the header is
    /// padded to 8 bytes, as in the reference implementation, so that every tensor is aligned; equally wide ones are ordered by name.
    /// </summary>
    /// <param name="path">The file to write or replace.</param>
    /// <param name="tensors">The tensors; their bytes are asked for one by one.</param>
    /// <param name="metadata">Strings for <c>__metadata__</c>, or null.</param>
    /// <exception cref="ArgumentException">Names repeat, are <c>__metadata__</c> or are not valid Unicode; an extent is negative.</exception>
    /// <exception cref="OverflowException">The tensors' size in bytes does not fit 63 bits.</exception>
    /// <exception cref="InvalidOperationException">A tensor wrote more or fewer bytes than its shape takes, or the header would be longer than a reader accepts.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Write(string path, IEnumerable<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        TensorSource[] ordered = [.. tensors.OrderByDescending(t => t.DType.Size()).ThenBy(t => t.Name, StringComparer.Ordinal)];
        CheckNames(ordered);
        byte[] header = Header(ordered, metadata);
        string temporary = $"{path}.{Path.GetRandomFileName()}.tmp";
        try
        {
            using (var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                stream.Write(header);
                foreach (TensorSource tensor in ordered) WriteTensor(stream, tensor);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static void WriteTensor(FileStream stream, TensorSource tensor)
    {
        long start = stream.Position;
        tensor.WriteTo(stream);
        long written = stream.Position - start, expected = ByteLength(tensor);
        if (written != expected) throw new InvalidOperationException($"'{tensor.Name}' takes {expected} bytes, {written} were written");
    }

    private static void CheckNames(TensorSource[] tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { SafetensorsHeader.MetadataKey };
        foreach (TensorSource tensor in tensors)
        {
            // Throws for half a surrogate pair: two such names would become one in the file.
            Strict.GetByteCount(tensor.Name);
            if (!names.Add(tensor.Name)) throw new ArgumentException($"the name '{tensor.Name}' is taken", nameof(tensors));
            if (tensor.Shape.Any(extent => extent < 0)) throw new ArgumentException($"'{tensor.Name}' has a negative extent", nameof(tensors));
        }
    }

    private static byte[] Header(TensorSource[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        buffer.Advance(Clear(buffer, SafetensorsHeader.Prefix));
        using (var json = new Utf8JsonWriter(buffer, Readable)) WriteJson(json, tensors, metadata);
        int padding = -buffer.WrittenCount & (Alignment - 1);
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        byte[] header = buffer.WrittenSpan.ToArray();
        int length = header.Length - SafetensorsHeader.Prefix;
        if (length > SafetensorsHeader.LongestHeader) throw new InvalidOperationException($"a header of {length} bytes; readers accept {SafetensorsHeader.LongestHeader}");
        BinaryPrimitives.WriteInt64LittleEndian(header, length);
        return header;
    }

    private static void WriteJson(Utf8JsonWriter json, TensorSource[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        json.WriteStartObject();
        if (metadata is { Count: > 0 })
        {
            json.WriteStartObject(SafetensorsHeader.MetadataKey);
            foreach ((string key, string value) in metadata) json.WriteString(key, value);
            json.WriteEndObject();
        }
        long begin = 0;
        foreach (TensorSource tensor in tensors)
        {
            long end = checked(begin + ByteLength(tensor));
            json.WriteStartObject(tensor.Name);
            json.WriteString("dtype", tensor.DType.Name());
            WriteNumbers(json, "shape", tensor.Shape);
            WriteNumbers(json, "data_offsets", [begin, end]);
            json.WriteEndObject();
            begin = end;
        }
        json.WriteEndObject();
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, IEnumerable<long> values)
    {
        json.WriteStartArray(name);
        foreach (long value in values) json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    private static int Clear(ArrayBufferWriter<byte> buffer, int count)
    {
        buffer.GetSpan(count)[..count].Clear();
        return count;
    }

    private static long ByteLength(TensorSource tensor) => checked(StoredTensor.CountElements(tensor.Shape.ToArray()) * tensor.DType.Size());
}
