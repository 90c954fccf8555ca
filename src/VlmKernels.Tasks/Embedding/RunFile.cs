using System.Text.Encodings.Web;
using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary>
/// <c>run_i.json</c>: what a shard is made from and how far it is. It is replaced as a whole, after what it counts is on the disk; so whatever
/// else the files hold belongs to work that is done again.
/// </summary>
/// <param name="Settings">What must be the same for the run to go on, by name.</param>
internal sealed record RunFile(IReadOnlyDictionary<string, string> Settings)
{
    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Inputs of the shard that are done, embedded or refused.</summary>
    public int Done { get; init; }

    /// <summary>Rows among them.</summary>
    public int Rows { get; init; }

    /// <summary>Bytes of the list of errors.</summary>
    public long ErrorBytes { get; init; }

    /// <summary>True when all files have their final names.</summary>
    public bool Finished { get; init; }

    /// <exception cref="InvalidDataException">The file is not of this form.</exception>
    public static RunFile Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = json.RootElement;
            var settings = root.GetProperty("settings").EnumerateObject().ToDictionary(p => p.Name, p => p.Value.GetString() ?? "", StringComparer.Ordinal);
            var run = new RunFile(settings)
            {
                Done = root.GetProperty("done").GetInt32(),
                Rows = root.GetProperty("rows").GetInt32(),
                ErrorBytes = root.GetProperty("error_bytes").GetInt64(),
                Finished = root.GetProperty("finished").GetBoolean(),
            };
            return run.Rows >= 0 && run.Rows <= run.Done && run.ErrorBytes >= 0 ? run : throw new FormatException($"{run.Done} done, {run.Rows} rows, {run.ErrorBytes} bytes of errors");
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException($"{path}: expected the state of a run, found something else ({e.Message}); --overwrite starts anew", e);
        }
    }

    /// <summary>Replaces a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="temporary">A name beside it for as long as it is written.</param>
    public void Write(string path, string temporary)
    {
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write))
        {
            using (var json = new Utf8JsonWriter(file, Readable)) WriteTo(json);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Refuses to go on with other settings than those that the run began with.</summary>
    /// <exception cref="ArgumentException">They differ; the message says in what.</exception>
    public void Require(IReadOnlyDictionary<string, string> settings, string path)
    {
        string[] names = [.. settings.Keys.Union(Settings.Keys).Where(n => Value(settings, n) != Value(Settings, n))];
        if (names.Length == 0) return;
        string differences = string.Join("; ", names.Select(n => $"{n}: expected {Value(Settings, n)}, found {Value(settings, n)}"));
        throw new ArgumentException($"{path} is of a run that differs. {differences}. --overwrite starts anew");
    }

    private static string Value(IReadOnlyDictionary<string, string> settings, string name) => settings.TryGetValue(name, out string? value) ? value : "nothing";

    private void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("settings");
        foreach (var (name, value) in Settings) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteNumber("done", Done);
        json.WriteNumber("rows", Rows);
        json.WriteNumber("error_bytes", ErrorBytes);
        json.WriteBoolean("finished", Finished);
        json.WriteEndObject();
    }
}
