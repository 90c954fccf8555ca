using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary>
/// A file of JSON lines, one object for each input of a list, in its order, with the input as <c>file</c>. Whatever moment the process ends at, the next one cuts off an unfinished last
/// line and goes on behind the others. An object with <c>error</c> says why its input could not be read. <c>FILE.run.json</c> beside the file says what the
/// lines are made from.
/// </summary>
public sealed class LinesFile : IDisposable
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // No line of a run is as long, and what is need not be held in memory to be refused.
    private const int LongestLine = 1 << 24;

    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _lines = new();
    private readonly Action<int, JsonElement>? _onLine;
    private int _waiting;

    private LinesFile(FileStream file, Action<int, JsonElement>? onLine) => (_file, _onLine) = (file, onLine);

    /// <summary>Lines on the disk.</summary>
    public int Done { get; private set; }

    /// <summary>Lines so far that say why an input could not be read.</summary>
    public int Errors { get; private set; }

    /// <summary>Begins a file, or goes on where an earlier run ended.</summary>
    /// <param name="path">The file.</param>
    /// <param name="inputs">What the lines are about.</param>
    /// <param name="settings">What must be the same for the run to go on, by name.</param>
    /// <param name="overwrite">Starts anew.</param>
    /// <param name="onLine">Gets number and object of every line, those of earlier runs first.</param>
    /// <exception cref="ArgumentException">The earlier run had other inputs or settings.</exception>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    /// <exception cref="IOException">The file cannot be written, another process is at work on it, or it is there without the file that says what it is.</exception>
    public static LinesFile Open(string path, IReadOnlyList<string> inputs, IReadOnlyDictionary<string, string> settings, bool overwrite, Action<int, JsonElement>? onLine = null)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        var file = ExclusiveFile.Open(path, FileAccess.ReadWrite, path);
        try
        {
            var all = new Dictionary<string, string>(settings, StringComparer.Ordinal) { ["inputs"] = FormattableString.Invariant($"{inputs.Count}, SHA-256 {Fingerprint.Of(inputs)}") };
            string run = path + ".run.json";
            if (overwrite || file.Length == 0)
            {
                file.SetLength(0);
                new RunFile(all).Write(run, run + ".partial");
            }
            else if (File.Exists(run)) RunFile.Read(run).Require(all, run);
            else throw new IOException($"{path}: exists, but {run} that would say what it was made from does not; --overwrite replaces it");
            var lines = new LinesFile(file, onLine);
            lines.Recover(path, inputs);
            return lines;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Adds the next input's line; it is on the disk after <see cref="Commit"/>.</summary>
    public void Add(Action<Utf8JsonWriter> write)
    {
        int start = _lines.WrittenCount;
        using (var json = new Utf8JsonWriter(_lines, Readable)) write(json);
        using (var line = JsonDocument.Parse(_lines.WrittenMemory[start..])) Count(Done + _waiting, line.RootElement);
        _lines.Write("\n"u8);
        _waiting++;
    }

    /// <summary>Puts all lines on the disk.</summary>
    public void Commit()
    {
        _file.Write(_lines.WrittenSpan);
        _file.Flush(flushToDisk: true);
        _lines.ResetWrittenCount();
        (Done, _waiting) = (Done + _waiting, 0);
    }

    /// <summary>Lets go of the file.</summary>
    public void Dispose() => _file.Dispose();

    /// <summary>Counts whole lines, which must be about their inputs, and cuts off what follows them.</summary>
    private void Recover(string path, IReadOnlyList<string> inputs)
    {
        var buffer = new byte[1 << 16];
        var line = new ArrayBufferWriter<byte>();
        long whole = 0;
        for (int read; (read = _file.Read(buffer)) > 0;)
        {
            var rest = buffer.AsSpan(0, read);
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                line.Write(rest[..end]);
                Recover(path, line.WrittenMemory, inputs);
                whole += line.WrittenCount + 1;
                line.ResetWrittenCount();
            }
            line.Write(rest);
            if (line.WrittenCount > LongestLine) throw Unexpected(path, $"a line of at most {LongestLine} bytes", "a longer one");
        }
        _file.SetLength(whole);
        _file.Position = whole;
    }

    private void Recover(string path, ReadOnlyMemory<byte> line, IReadOnlyList<string> inputs)
    {
        if (Done == inputs.Count) throw new InvalidDataException($"{path}: expected at most {inputs.Count} lines, one for each input, found more; --overwrite starts anew");
        using var json = Parse(line);
        if (json is null || FileOf(json.RootElement) is not { } file) throw Unexpected(path, "a JSON object with \"file\"", "something else");
        if (file != inputs[Done]) throw Unexpected(path, $"one of {inputs[Done]}", $"one of {file}");
        Count(Done, json.RootElement);
        Done++;
    }

    private void Count(int number, JsonElement line)
    {
        if (line.TryGetProperty("error", out _)) Errors++;
        _onLine?.Invoke(number, line);
    }

    private InvalidDataException Unexpected(string path, string expected, string found) => new($"{path}, line {Done + 1}: expected {expected}, found {found}; --overwrite starts anew");

    private static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            return JsonDocument.Parse(line);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? FileOf(JsonElement line)
    {
        try
        {
            return line.ValueKind == JsonValueKind.Object && line.TryGetProperty("file", out var file) && file.ValueKind == JsonValueKind.String ? file.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8, or half a surrogate pair.
            return null;
        }
    }
}
