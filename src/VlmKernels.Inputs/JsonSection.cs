using System.Text.Json;

namespace VlmKernels.Inputs;

/// <summary>
/// One object of a JSON file, read key by key. Keys that nobody asked for are an error at the end: a setting that is silently ignored
/// would silently change results.
/// </summary>
internal sealed class JsonSection
{
    private readonly Dictionary<string, JsonElement> values = new(StringComparer.Ordinal);
    private readonly HashSet<string> unread = new(StringComparer.Ordinal);
    private readonly string prefix;

    public JsonSection(JsonElement json, string file, string prefix = "")
    {
        if (json.ValueKind != JsonValueKind.Object) throw new ConfigFormatException(file, $"expected a JSON object{At(prefix)}, found {json.ValueKind}");
        (File, this.prefix) = (file, prefix);
        foreach (JsonProperty property in json.EnumerateObject())
        {
            values[property.Name] = property.Value;
            unread.Add(property.Name);
        }
    }

    public string File { get; }

    /// <summary>Reads and parses a whole file.</summary>
    public static JsonElement Parse(string path)
    {
        try
        {
            // Not disposed: its elements are used for as long as somebody reads the file, and a copy of a large vocabulary costs.
            return JsonDocument.Parse(System.IO.File.ReadAllBytes(path)).RootElement;
        }
        catch (JsonException e)
        {
            throw new ConfigFormatException($"{path}: not a JSON file ({e.Message})", e);
        }
    }

    /// <summary>The value of a key; null when the key is absent or JSON null.</summary>
    public JsonElement? Take(string key)
    {
        unread.Remove(key);
        return values.TryGetValue(key, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    public JsonElement Require(string key) => Take(key) ?? throw Missing(key);

    public JsonSection Section(string key) => new(Require(key), File, prefix + key + ".");

    public string? Text(string key) => Take(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.String ? value.GetString() : throw Wrong(key, "a string", value);

    public bool Flag(string key, bool absent) => Take(key) is not { } value ? absent : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(key, "true or false", value),
    };

    public int? Whole(string key) => Take(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number) ? number : throw Wrong(key, "a whole number", value);

    public double? Number(string key) => Take(key) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw Wrong(key, "a number", value);

    /// <summary>Marks keys that are known not to matter as read.</summary>
    public void Ignore(ReadOnlySpan<string> keys)
    {
        foreach (string key in keys) unread.Remove(key);
    }

    public bool Has(string key) => values.ContainsKey(key);

    public void RequireAllRead()
    {
        if (unread.Count > 0) throw new ConfigFormatException(File, $"unknown key \"{prefix}{unread.Order(StringComparer.Ordinal).First()}\"");
    }

    public ConfigFormatException Missing(string key) => new(File, $"the key \"{prefix}{key}\" is missing");

    public ConfigFormatException Wrong(string key, string expected, JsonElement found)
    {
        string text = found.GetRawText();
        return new(File, $"\"{prefix}{key}\": expected {expected}, found {(text.Length > 60 ? text[..60] + "…" : text)}");
    }

    private static string At(string prefix) => prefix.Length == 0 ? "" : $" under \"{prefix.TrimEnd('.')}\"";
}
