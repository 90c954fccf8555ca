using System.Text;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Tokenizer files that damage found to be read as something else than a tokenizer or an error.</summary>
public sealed class HostileTokenizerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tokenizer-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("\"ids\": [2]", "\"ids\": [1.5]", "expected whole numbers as ids, found 1.5")]
    [InlineData("\"ids\": [2]", "\"ids\": [70]", "\"post_processor\": no token has the id 70")]
    [InlineData("\"ids\": [2]", "\"ids\": [-1]", "\"post_processor\": no token has the id -1")]
    [InlineData("\"id\": 9,", "\"id\": -9,", "the added token \"<y>\" has the id -9")]
    [InlineData("\"id\": 9,", "\"id\": 2147483647,", "the added token \"<y>\" has the id 2147483647")]
    public void A_wild_id_is_refused_by_name(string good, string bad, string message)
    {
        string expected = Assert.Throws<ConfigFormatException>(() => Load(good, bad)).Message;
        Assert.StartsWith(Path.Combine(_folder, "tokenizer.json"), expected, StringComparison.Ordinal);
        Assert.Contains(message, expected, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pattern_that_never_ends_is_an_error()
    {
        var tokenizer = Load("""{"type": "BertPreTokenizer"}""", """{"type": "Split", "pattern": {"Regex": "(\\w+\\s?)+$"}, "behavior": "Isolated"}""");
        Assert.NotEmpty(tokenizer.Encode("a bag"));
        Assert.Contains("takes too long", Assert.Throws<ConfigFormatException>(() => tokenizer.Encode(new string('a', 60) + "!")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Replacements_that_double_the_text_over_and_over_are_an_error()
    {
        string step = """{"type": "Replace", "pattern": {"String": "q"}, "content": "k"}""", twice = """{"type": "Replace", "pattern": {"String": "q"}, "content": "qq"}""";
        var tokenizer = Load(step, string.Join(',', Enumerable.Repeat(twice, 40)));
        Assert.NotEmpty(tokenizer.Encode("a bag"));
        Assert.Contains("too long", Assert.Throws<ConfigFormatException>(() => tokenizer.Encode("q")).Message, StringComparison.Ordinal);
    }

    private ITokenizer Load(string good, string bad)
    {
        string json = Encoding.UTF8.GetString(SmallTokenizers.All().Single(k => k.Name == "word pieces").Files["tokenizer.json"]);
        Assert.Contains(good, json, StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(_folder, "tokenizer.json"), json.Replace(good, bad, StringComparison.Ordinal));
        return TokenizerLoader.Load(_folder);
    }
}
