using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VlmKernels.Testing;

namespace VlmKernels.Inputs.Tests;

/// <summary>Folders with the files of every kind of tokenizer, cut down to some hundred tokens so that one loads in a fraction of a millisecond.</summary>
internal static class SmallTokenizers
{
    /// <summary>Files of one folder by name, and how they are loaded from it.</summary>
    public sealed record Kind(string Name, IReadOnlyDictionary<string, byte[]> Files, Func<string, ITokenizer> Load);

    private const int Merges = 30;

    private static readonly string Data = Path.Combine(Fixtures.Repository, "tests", "data", "tokenizers");

    public static IReadOnlyList<Kind> All()
    {
        var clip = Cut(JsonNode.Parse(File.ReadAllText(Path.Combine(Data, "clip", "tokenizer.json")))!);
        byte[] config = File.ReadAllBytes(Path.Combine(Data, "clip", "tokenizer_config.json"));
        string merges = $"#version: 0.2\n{string.Join('\n', clip["model"]!["merges"]!.AsArray().Select(m => (string)m!))}\n";
        return
        [
            Folder("clip", ("tokenizer.json", Bytes(clip)), ("tokenizer_config.json", config)),
            Folder("clip in parts", ("vocab.json", Bytes(clip["model"]!["vocab"]!)), ("merges.txt", Bytes(merges)), ("tokenizer_config.json", config), ("special_tokens_map.json", Bytes(Roles))),
            Folder("word pieces", ("tokenizer.json", Bytes(WordPieces)), ("tokenizer_config.json", Bytes(AddedTokens))),
            Folder("bert", ("vocab.txt", Bytes(string.Join('\n', BertTokens()))), ("tokenizer_config.json", Bytes("""{"do_lower_case": true, "model_max_length": 512}"""))),
            new("openai", Files(("merges.txt", Bytes(merges))), folder => TokenizerLoader.LoadOpenAi(Path.Combine(folder, "merges.txt"))),
            new("open_clip", Files(("merges.gz", Packed(merges))), folder => TokenizerLoader.LoadOpenClip(Path.Combine(folder, "merges.gz"), TextCleaning.Canonicalize)),
        ];
    }

    private const string Roles = """{"bos_token": {"content": "<|startoftext|>"}, "eos_token": "<|endoftext|>", "additional_special_tokens": ["th", {"content": "an"}]}""";

    private const string AddedTokens = """
        {"added_tokens_decoder": {"8": {"content": "<x>", "special": true, "normalized": true, "single_word": true, "lstrip": true, "rstrip": true}}, "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]"}
        """;

    // What BERT's files hold that CLIP's do not.
    private const string WordPieces = """
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [{"id": 0, "content": "[PAD]", "special": true}, {"id": 9, "content": "<y>", "normalized": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
            {"type": "Replace", "pattern": {"String": "q"}, "content": "k"}, {"type": "NFD"}, {"type": "StripAccents"}]},
         "pre_tokenizer": {"type": "BertPreTokenizer"},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
         "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
         "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4, "bag": 5, "##s": 6, "photo": 7}}}
        """;

    // CLIP's own file with the letters, the first merges and the special tokens, renumbered.
    private static JsonNode Cut(JsonNode json)
    {
        JsonNode model = json["model"]!;
        string[] merges = [.. model["merges"]!.AsArray().Take(Merges).Select(m => (string)m!)];
        string[] special = [.. json["added_tokens"]!.AsArray().Select(t => (string)t!["content"]!)];
        IEnumerable<string> letters = Enumerable.Range('a', 26).Select(c => $"{(char)c}");
        string[] tokens = [.. letters, .. letters.Select(l => l + "</w>"), .. merges.Select(m => m.Replace(" ", "", StringComparison.Ordinal)), .. special];
        model["vocab"] = new JsonObject(tokens.Select((t, i) => KeyValuePair.Create(t, (JsonNode?)i)));
        model["merges"] = new JsonArray([.. merges.Select(m => (JsonNode)m)]);
        foreach (JsonNode? token in json["added_tokens"]!.AsArray()) token!["id"] = Array.IndexOf(tokens, (string)token["content"]!);
        foreach (string key in (ReadOnlySpan<string>)["cls", "sep"]) json["post_processor"]![key]![1] = Array.IndexOf(tokens, (string)json["post_processor"]![key]![0]!);
        return json;
    }

    private static IEnumerable<string> BertTokens()
        => File.ReadLines(Path.Combine(Data, "bert-base-uncased", "vocab.txt")).Where(t => t.StartsWith('[') ? !t.StartsWith("[unused", StringComparison.Ordinal) : t.Length <= 3).Take(200);

    private static Kind Folder(string name, params (string Name, byte[] Bytes)[] files) => new(name, Files(files), TokenizerLoader.Load);

    private static Dictionary<string, byte[]> Files(params (string Name, byte[] Bytes)[] files) => files.ToDictionary(f => f.Name, f => f.Bytes);

    private static byte[] Bytes(JsonNode json) => Bytes(json.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Packed(string text)
    {
        var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Optimal)) gzip.Write(Bytes(text));
        return memory.ToArray();
    }
}
