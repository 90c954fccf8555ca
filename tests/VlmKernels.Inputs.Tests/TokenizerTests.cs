using System.Diagnostics;
using System.Text.Json;
using CsCheck;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Every row of the tokenizer tables: equal ids, equal text.</summary>
public class TokenizerTests
{
    private static readonly string[] Names = ["clip-hf", "clip-openai", "clip-openclip", "bert-base-uncased"];
    private static readonly Dictionary<string, Dictionary<string, Row>> Cases = Names.ToDictionary(n => n, n => Tables.Rows($"inputs/tokenizers/{n}.json", "cases", Name));
    private static readonly Dictionary<string, Dictionary<string, Row>> Decodes = Names.ToDictionary(n => n, n => Tables.Rows($"inputs/tokenizers/{n}.json", "decode_only", r => "ids " + r.GetProperty("ids").GetRawText()));
    private static readonly Dictionary<string, ITokenizer> Loaded = [];

    public static TheoryData<string, string> Rows => [.. Names.SelectMany(n => Cases[n].Keys.Select(k => (n, k)))];

    public static TheoryData<string, string> DecodedRows => [.. Names.SelectMany(n => Cases[n].Where(r => r.Value.Json.TryGetProperty("decoded", out _)).Select(r => (n, r.Key)))];

    public static TheoryData<string, string> DecodeRows => [.. Names.SelectMany(n => Decodes[n].Keys.Select(k => (n, k)))];

    [Theory, MemberData(nameof(Rows))]
    public void A_text_becomes_the_references_ids(string tokenizer, string name)
    {
        Row row = Cases[tokenizer][name];
        int[] ids = Load(tokenizer, row).Encode(Text(row));
        // The library refuses unpaired surrogates; this one reads them as U+FFFD.
        if (row.Json.TryGetProperty("error", out _)) return;
        Assert.Equal(Ids(row, "ids"), ids);
    }

    [Theory, MemberData(nameof(DecodedRows))]
    public void Ids_become_the_references_text(string tokenizer, string name)
    {
        Row row = Cases[tokenizer][name];
        ITokenizer loaded = Load(tokenizer, row);
        // OpenAI's decode knows no special tokens: its row was made without the two around.
        int[] ids = tokenizer == "clip-openai" ? Ids(row, "ids")[1..^1] : Ids(row, "ids");
        Assert.Equal(row.Text("decoded"), loaded.Decode(ids, skipSpecialTokens: tokenizer != "clip-openai"));
        if (row.Optional("decoded_with_special") is { } special) Assert.Equal(special, loaded.Decode(ids, skipSpecialTokens: false));
        if (row.Optional("decoded_cleaned") is { } cleaned) Assert.Equal(cleaned, loaded.Decode(ids, cleanUp: true));
    }

    [Theory, MemberData(nameof(Rows))]
    public void A_text_is_cut_and_filled_up_as_the_reference_does(string tokenizer, string name)
    {
        Row row = Cases[tokenizer][name];
        ITokenizer loaded = Load(tokenizer, row);
        foreach ((string key, int length) in new[] { ("ids_max35", 35), ("ids_max64", 64), ("ids_max77", 77), ("packed77", 77), ("packed76", 76) })
        {
            if (!row.Json.TryGetProperty(key, out _)) continue;
            PaddedIds padded = loaded.EncodePadded(Text(row), length);
            Assert.Equal(Ids(row, key), padded.Ids);
            if (row.Json.TryGetProperty($"mask_max{length}_ones", out JsonElement ones)) Assert.Equal(ones.GetInt32(), padded.Count);
        }
        if (!row.Json.TryGetProperty("too_long_for_77", out JsonElement tooLong)) return;
        if (tooLong.GetBoolean()) Assert.Throws<ArgumentException>(() => loaded.EncodePadded(Text(row), 77, truncate: false));
        else Assert.Equal(77, loaded.EncodePadded(Text(row), 77, truncate: false).Ids.Count);
    }

    [Theory, MemberData(nameof(Rows))]
    public void The_other_cleaning_modes_of_open_clip_give_its_ids(string tokenizer, string name)
    {
        Row row = Cases[tokenizer][name];
        foreach ((string key, TextCleaning cleaning) in new[] { ("ids_canonicalize", TextCleaning.Canonicalize), ("ids_whitespace", TextCleaning.Whitespace) })
        {
            if (row.Json.TryGetProperty(key, out _)) Assert.Equal(Ids(row, key), Load("clip-openclip", row, cleaning).Encode(Text(row)));
        }
    }

    [Theory, MemberData(nameof(DecodeRows))]
    public void Random_ids_become_the_references_text(string tokenizer, string name)
    {
        Row row = Decodes[tokenizer][name];
        ITokenizer loaded = Load(tokenizer, row);
        Assert.Equal(row.Text("decoded"), loaded.Decode(Ids(row, "ids"), skipSpecialTokens: tokenizer != "clip-openai"));
        if (row.Optional("decoded_with_special") is { } special) Assert.Equal(special, loaded.Decode(Ids(row, "ids"), skipSpecialTokens: false));
    }

    [Fact]
    public void Any_string_is_encoded_and_decoded_without_an_exception()
    {
        foreach (string name in Names)
        {
            ITokenizer tokenizer = Load(name, Cases[name].Values.First());
            Gen.OneOf(Gen.Char, Gen.Char['\uD800', '\uDFFF'], Gen.Char[' ', '~'], Gen.Char["İΣ&<\u0301Ã\u00A0€"]).Array[0, 40].Sample(chars =>
            {
                int[] ids = tokenizer.Encode(new string(chars));
                tokenizer.Decode(ids);
                return ids.All(id => id >= 0 && id < tokenizer.VocabularySize);
            }, iter: 500);
        }
    }

    [Fact]
    public void A_word_of_a_million_letters_is_encoded_in_bounded_time()
    {
        foreach (string name in Names) Assert.NotEmpty(Load(name, Cases[name].Values.First()).Encode(new string('a', 1_000_000)));
    }

    [Theory, InlineData("clip-hf"), InlineData("clip-openai"), InlineData("clip-openclip"), InlineData("bert-base-uncased")]
    public void A_word_of_100000_letters_is_encoded_within_two_seconds(string name)
    {
        ITokenizer tokenizer = Load(name, Cases[name].Values.First());
        var random = new Random(1);
        foreach (string word in new[] { new string('a', 100_000), new string('-', 100_000), string.Create(100_000, random, (chars, r) => { foreach (ref char c in chars) c = (char)r.Next('a', 'z' + 1); }) })
        {
            var watch = Stopwatch.StartNew();
            Assert.NotEmpty(tokenizer.Encode(word));
            Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2);
        }
    }

    [Theory]
    [InlineData('a', 100_002)]
    [InlineData('b', 3)]
    public void A_long_word_is_encoded_within_two_seconds_where_the_file_lifts_the_limit_of_WordPiece(char letter, int tokens)
    {
        string path = Path.Combine(Directory.CreateTempSubdirectory("tokenizer").FullName, "tokenizer.json");
        File.WriteAllText(path, """
            {"model": {"type": "WordPiece", "vocab": {"[UNK]": 0, "a": 1, "##a": 2, "xyz": 3}, "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 1000000},
             "pre_tokenizer": {"type": "BertPreTokenizer"}, "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": false}}
            """);
        ITokenizer tokenizer = TokenizerLoader.Load(path);
        var watch = Stopwatch.StartNew();
        int[] ids = tokenizer.Encode($"a {new string(letter, 100_000)} xyz");
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 2);
        Assert.Equal(tokens, ids.Length);
        Assert.Equal(letter == 'a' ? [1, 1, 2] : [1, 0, 3], ids[..3]);
        Assert.Equal(3, ids[^1]);
    }

    private static ITokenizer Load(string name, Row row, TextCleaning cleaning = TextCleaning.Lower)
    {
        string file = row.DataFile(name switch
        {
            "clip-hf" => "data/tokenizers/clip/tokenizer.json",
            "bert-base-uncased" => "data/tokenizers/bert-base-uncased/vocab.txt",
            _ => "data/tokenizers/clip/bpe_simple_vocab_16e6.txt.gz",
        });
        lock (Loaded)
        {
            string key = $"{name} {cleaning}";
            if (Loaded.TryGetValue(key, out ITokenizer? loaded)) return loaded;
            return Loaded[key] = name switch
            {
                "clip-openai" => TokenizerLoader.LoadOpenAi(file),
                "clip-openclip" => TokenizerLoader.LoadOpenClip(file, cleaning),
                _ => TokenizerLoader.Load(file),
            };
        }
    }

    private static int[] Ids(Row row, string key) => [.. row.Json.GetProperty(key).EnumerateArray().Select(e => e.GetInt32())];

    private static string Text(Row row) => row.Json.TryGetProperty("text", out JsonElement text)
        ? text.GetString()! : new string([.. row.Json.GetProperty("text_utf16").EnumerateArray().Select(e => (char)e.GetInt32())]);

    private static string Name(JsonElement row)
    {
        string text = row.TryGetProperty("text", out JsonElement t) ? t.GetRawText() : row.GetProperty("text_utf16").GetRawText();
        return $"{row.GetProperty("group")}: {(text.Length > 70 ? text[..70] + "…" : text)}";
    }
}
