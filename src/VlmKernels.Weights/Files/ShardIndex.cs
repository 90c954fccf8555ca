using System.Text.Json;

namespace VlmKernels.Weights;

/// <summary>
/// The index of a sharded checkpoint as transformers and huggingface_hub write it:
/// <c>{"metadata": {"total_size": 621}, "weight_map": {"tensor name": "model-00001-of-00003.safetensors", …}}</c>.
/// </summary>
internal static class ShardIndex
{
    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 16 };

    /// <summary>Reads which shard, a file beside the index, holds which tensor.</summary>
    /// <param name="path">Path of the index.</param>
    /// <param name="extension">What every shard's name ends with.</param>
    /// <exception cref="WeightFileException">The index cannot be read, is malformed, or names a shard outside its folder.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path, string extension)
    {
        using MappedFile file = MappedFile.Open(path, least: 1);
        if (file.Length > SafetensorsHeader.LongestHeader) throw new WeightFileException(path, null, $"an index of at most {SafetensorsHeader.LongestHeader} bytes", $"{file.Length}");
        try
        {
            return ReadRoot(path, extension, file.Span(0, (int)file.Length));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new WeightFileException(path, null, "an index that is one JSON object", e.Message, e);
        }
    }

    private static Dictionary<string, string> ReadRoot(string path, string extension, ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, Strict);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new WeightFileException(path, null, "an index that is one JSON object", $"{reader.TokenType}");
        Dictionary<string, string>? map = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isMap = reader.ValueTextEquals("weight_map");
            reader.Read();
            if (!isMap) reader.Skip();
            else if (map is null) map = ReadMap(path, extension, ref reader);
            else throw new WeightFileException(path, "weight_map", "it once", "it twice");
        }
        reader.Read();
        return map ?? throw new WeightFileException(path, "weight_map", "an object that gives each tensor's shard", "nothing");
    }

    private static Dictionary<string, string> ReadMap(string path, string extension, ref Utf8JsonReader reader)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        // One string per shard, however many tensors it holds.
        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        if (reader.TokenType != JsonTokenType.StartObject) throw new WeightFileException(path, "weight_map", "an object that gives each tensor's shard", $"{reader.TokenType}");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw new WeightFileException(path, name, "a shard's file name", $"{reader.TokenType}");
            string shard = reader.GetString()!;
            if (!shards.TryGetValue(shard, out string? known))
            {
                if (!IsPlainName(shard, extension)) throw new WeightFileException(path, name, $"the plain name of a {extension} file beside the index", WeightFileException.Quote(shard));
                shards.Add(shard, known = shard);
            }
            if (!map.TryAdd(name, known)) throw new WeightFileException(path, name, "every tensor once", "it twice");
        }
        return map;
    }

    // An index comes with a download: it must not reach files elsewhere, on any operating system's rules for paths.
    private static bool IsPlainName(string shard, string extension) =>
        shard.Length > extension.Length && shard.EndsWith(extension, StringComparison.Ordinal)
        && !shard.AsSpan().ContainsAny('/', '\\', ':') && !shard.Any(char.IsControl) && shard[0] != '.';
}
