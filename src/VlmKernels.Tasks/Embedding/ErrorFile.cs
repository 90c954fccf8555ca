using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary><c>errors_i.jsonl</c>: inputs that have no row, with the reason; one JSON object of <c>index</c>, <c>input</c> and <c>reason</c> a line.</summary>
internal sealed class ErrorFile : IDisposable
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly FileStream _file;

    /// <summary>Opens a file to go on behind its first bytes; what follows them is cut off.</summary>
    /// <exception cref="InvalidDataException">The file is shorter.</exception>
    public ErrorFile(string path, long bytes)
    {
        _file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        long found = _file.Length;
        if (found < bytes)
        {
            _file.Dispose();
            throw new InvalidDataException($"{path}: expected at least {bytes} bytes of an unfinished run, found {found}; --overwrite starts anew");
        }
        _file.SetLength(bytes);
        _file.Position = bytes;
    }

    public long Bytes => _file.Position;

    /// <summary>Places of the listed inputs.</summary>
    public static HashSet<int> Indices(string path)
    {
        var found = new HashSet<int>();
        foreach (string line in File.ReadLines(path))
        {
            using var json = JsonDocument.Parse(line);
            found.Add(json.RootElement.GetProperty("index").GetInt32());
        }
        return found;
    }

    /// <param name="index">Place among all inputs, whatever the shard.</param>
    /// <param name="input">The input.</param>
    /// <param name="reason">Why it has no row.</param>
    public void Add(int index, string input, string reason)
    {
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, Readable))
        {
            json.WriteStartObject();
            json.WriteNumber("index", index);
            json.WriteString("input", input);
            json.WriteString("reason", reason);
            json.WriteEndObject();
        }
        _file.Write(line.WrittenSpan);
        _file.WriteByte((byte)'\n');
    }

    public void Flush() => _file.Flush(flushToDisk: true);

    public void Dispose() => _file.Dispose();
}
