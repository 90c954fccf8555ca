using System.Text.Json;

namespace VlmKernels.Inputs.Text;

/// <summary>The models of tokenizer.json: BPE and WordPiece.</summary>
internal static class TokenizerJsonModels
{
    public static ITokenModel Read(JsonSection json, out string endSuffix)
    {
        // Files from before 2020 leave out the type.
        string type = json.Text("type") ?? (json.Has("merges") ? "BPE" : throw json.Missing("type"));
        endSuffix = "";
        switch (type)
        {
            case "BPE":
                endSuffix = json.Text("end_of_word_suffix") ?? "";
                return ReadBpe(json, endSuffix);
            case "WordPiece":
                return ReadWordPiece(json);
            default:
                throw new ConfigFormatException(json.File, $"\"model.type\": the model {type} is not implemented; BPE and WordPiece are");
        }
    }

    public static Dictionary<string, int> ReadVocabulary(JsonElement json, string file)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        if (json.ValueKind != JsonValueKind.Object) throw new ConfigFormatException(file, $"vocabulary: expected an object, found {json.ValueKind}");
        foreach (JsonProperty token in json.EnumerateObject())
        {
            if (token.Value.ValueKind != JsonValueKind.Number || !token.Value.TryGetInt32(out int id)) throw new ConfigFormatException(file, $"vocabulary: \"{token.Name}\" has no whole number as id");
            ids[token.Name] = id;
        }
        return ids;
    }

    private static BpeModel ReadBpe(JsonSection json, string endSuffix)
    {
        if (json.Number("dropout") is > 0) throw new ConfigFormatException(json.File, "\"model.dropout\": merging at random is not implemented");
        if (json.Flag("byte_fallback", false)) throw new ConfigFormatException(json.File, "\"model.byte_fallback\": bytes for unknown symbols are not implemented");
        var vocabulary = new Vocabulary(ReadVocabulary(json.Require("vocab"), json.File), json.File);
        int? unknown = json.Text("unk_token") is { } token ? vocabulary.Id(token) : null;
        var options = new BpeOptions(json.Text("continuing_subword_prefix") ?? "", endSuffix, unknown, json.Flag("fuse_unk", false), json.Flag("ignore_merges", false));
        var merges = new List<Merge>();
        foreach (JsonElement merge in json.Require("merges").EnumerateArray()) merges.Add(ReadMerge(merge, json));
        json.RequireAllRead();
        return new BpeModel(vocabulary, merges, options, json.File);
    }

    // Older files write "a b", newer ones ["a", "b"].
    private static Merge ReadMerge(JsonElement merge, JsonSection json)
    {
        string? text = merge.ValueKind == JsonValueKind.String ? merge.GetString()
            : merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2 ? $"{merge[0]} {merge[1]}" : null;
        return (text is null ? null : Merge.Parse(text)) ?? throw json.Wrong("merges", "two tokens", merge);
    }

    private static WordPieceModel ReadWordPiece(JsonSection json)
    {
        var vocabulary = new Vocabulary(ReadVocabulary(json.Require("vocab"), json.File), json.File);
        string unknown = json.Text("unk_token") ?? "[UNK]";
        int id = vocabulary.Id(unknown) ?? throw new ConfigFormatException(json.File, $"\"model.unk_token\": the vocabulary lacks {unknown}");
        var model = new WordPieceModel(vocabulary, id, json.Text("continuing_subword_prefix") ?? "##", json.Whole("max_input_chars_per_word") ?? 100);
        json.RequireAllRead();
        return model;
    }
}
