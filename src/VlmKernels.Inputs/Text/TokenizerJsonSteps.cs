using System.Text.Json;
using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>Normalisers, splitters, post-processors and decoders of tokenizer.json. A kind that is not here is an error with its name.</summary>
internal static class TokenizerJsonSteps
{
    public static INormalizer Normalizer(JsonSection json)
    {
        string type = Type(json);
        INormalizer step = type switch
        {
            "Sequence" => new NormalizerSequence(Steps(json, "normalizers", Normalizer)),
            "NFC" => new FunctionNormalizer(CanonicalForm.Compose),
            "NFD" => new FunctionNormalizer(CanonicalForm.Decompose),
            "Lowercase" => new FunctionNormalizer(LetterCase.Lower),
            "StripAccents" => new FunctionNormalizer(BertNormalizer.StripAccents),
            "Replace" => new ReplaceNormalizer(Pattern(json), json.Text("content") ?? throw json.Missing("content")),
            "BertNormalizer" => Bert(json),
            _ => throw NotImplemented(json, "normalizer", type),
        };
        json.RequireAllRead();
        return step;
    }

    public static IPreTokenizer PreTokenizer(JsonSection json)
    {
        string type = Type(json);
        IPreTokenizer step = type switch
        {
            "Sequence" => new PreTokenizerSequence(Steps(json, "pretokenizers", PreTokenizer)),
            "Split" => new PatternSplit(Pattern(json), Behavior(json)),
            "ByteLevel" => new ByteLevelSplit(json.Flag("add_prefix_space", true), json.Flag("use_regex", true)),
            "BertPreTokenizer" => new BertSplit(),
            _ => throw NotImplemented(json, "pre-tokenizer", type),
        };
        json.Ignore(["trim_offsets"]); // offsets are not reported
        json.RequireAllRead();
        return step;
    }

    public static Surroundings PostProcessor(JsonSection json, Func<string, int?> id)
    {
        string type = Type(json);
        Surroundings around = type switch
        {
            "RobertaProcessing" or "BertProcessing" => new([NamedId(json, "cls")], [NamedId(json, "sep")]),
            "TemplateProcessing" => Template(json, id),
            "ByteLevel" => Surroundings.None,
            _ => throw NotImplemented(json, "post-processor", type),
        };
        json.Ignore(["trim_offsets", "add_prefix_space", "use_regex"]); // offsets are not reported
        json.RequireAllRead();
        return around;
    }

    public static ITokenDecoder Decoder(JsonSection json, string endSuffix)
    {
        string type = Type(json);
        ITokenDecoder decoder = type switch
        {
            "ByteLevel" => new ByteLevelDecoder(endSuffix, endSuffix.Length > 0),
            "WordPiece" => new WordPieceDecoder(json.Text("prefix") ?? "##", json.Flag("cleanup", true) ? WordPieceCleanUp.Token : WordPieceCleanUp.None),
            _ => throw NotImplemented(json, "decoder", type),
        };
        json.Ignore(["trim_offsets", "add_prefix_space", "use_regex"]);
        json.RequireAllRead();
        return decoder;
    }

    private static string Type(JsonSection json) => json.Text("type") ?? throw json.Missing("type");

    private static List<T> Steps<T>(JsonSection json, string key, Func<JsonSection, T> read)
    {
        JsonElement list = json.Require(key);
        if (list.ValueKind != JsonValueKind.Array) throw json.Wrong(key, "an array", list);
        return [.. list.EnumerateArray().Select(step => read(new JsonSection(step, json.File, key + ".")))];
    }

    private static RunePattern Pattern(JsonSection json)
    {
        JsonSection pattern = json.Section("pattern");
        string text = pattern.Text("Regex") ?? (pattern.Text("String") is { } literal ? Regex.Escape(literal) : throw pattern.Missing("Regex"));
        pattern.RequireAllRead();
        try
        {
            return new RunePattern(text);
        }
        catch (ArgumentException e)
        {
            throw new ConfigFormatException($"{json.File}: the pattern {text} is not understood ({e.Message})", e);
        }
    }

    private static SplitBehavior Behavior(JsonSection json)
    {
        string behavior = json.Text("behavior") ?? throw json.Missing("behavior");
        bool invert = json.Flag("invert", false);
        return (behavior, invert) switch
        {
            ("Removed", true) => SplitBehavior.KeepMatches,
            ("Removed", false) => SplitBehavior.DropMatches,
            ("Isolated", _) => SplitBehavior.KeepBoth,
            _ => throw NotImplemented(json, "split behavior", behavior),
        };
    }

    private static BertNormalizer Bert(JsonSection json)
    {
        bool lowercase = json.Flag("lowercase", true);
        return new BertNormalizer(json.Flag("clean_text", true), json.Flag("handle_chinese_chars", true), json.Flag("strip_accents", lowercase), lowercase);
    }

    private static int NamedId(JsonSection json, string key)
    {
        JsonElement pair = json.Require(key);
        return pair.ValueKind == JsonValueKind.Array && pair.GetArrayLength() == 2 && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out int id)
            ? id : throw json.Wrong(key, "[token, id]", pair);
    }

    private static Surroundings Template(JsonSection json, Func<string, int?> id)
    {
        List<int> before = [], after = [];
        bool seen = false;
        json.Ignore(["pair"]); // one text at a time
        JsonElement? known = json.Take("special_tokens");
        foreach (JsonElement part in json.Require("single").EnumerateArray())
        {
            if (part.TryGetProperty("Sequence", out _)) { seen = true; continue; }
            string token = part.GetProperty("SpecialToken").GetProperty("id").GetString() ?? "";
            if (known is { } map && map.TryGetProperty(token, out JsonElement entry)) (seen ? after : before).AddRange(entry.GetProperty("ids").EnumerateArray().Select(e => WholeId(json, e)));
            else (seen ? after : before).Add(id(token) ?? throw new ConfigFormatException(json.File, $"\"post_processor.single\": unknown token {token}"));
        }
        return new Surroundings(before, after);
    }

    private static int WholeId(JsonSection json, JsonElement id)
        => id.ValueKind == JsonValueKind.Number && id.TryGetInt32(out int number) ? number : throw json.Wrong("special_tokens", "whole numbers as ids", id);

    private static ConfigFormatException NotImplemented(JsonSection json, string kind, string type) => new(json.File, $"the {kind} {type} is not implemented");
}
