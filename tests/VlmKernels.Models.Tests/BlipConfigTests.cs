using System.Text;
using VlmKernels.Inputs;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public class BlipConfigTests
{
    [Fact]
    public void An_empty_configuration_is_that_of_the_base_model_with_twelve_heads()
    {
        var notes = new List<string>();
        var config = Parse("{}", notes);
        Assert.Equal(BlipSizes.Find("BLIP-base-384")!.Config.Vision with { Resizing = PositionResizing.AtRun, Block = config.Vision.Block }, config.Vision);
        Assert.Equal((768, 12, 12, 1e-5f), (config.Vision.Block.HiddenSize, config.Vision.Block.Layers, config.Vision.Block.Heads, config.Vision.Block.NormEpsilon));
        Assert.Equal((12, 1e-12f, 30524, 512), (config.Text.Block.Heads, config.Text.Block.NormEpsilon, config.Text.Vocabulary, config.Text.Context));
        Assert.Equal((256, 512, 0f, BlipTokens.Published), (config.MatchSize, config.ProjectionSize, config.LabelSmoothing, config.Tokens));
        Assert.Contains("says 8 text heads", Assert.Single(notes), StringComparison.Ordinal);
        config.Validate();
    }

    [Theory]
    [InlineData("{\"text_config\": {\"num_attention_heads\": 12}}", 12, 0)]
    [InlineData("{\"text_config\": {\"num_attention_heads\": 8}}", 12, 1)]
    [InlineData("{\"text_config\": {\"hidden_size\": 64, \"num_attention_heads\": 8}}", 8, 0)]
    [InlineData("{\"text_config\": {\"hidden_size\": 64}}", 8, 0)]
    public void Heads_are_corrected_at_the_published_width_only(string json, int heads, int notes)
    {
        var found = new List<string>();
        Assert.Equal((heads, notes), (Parse(json, found).Text.Block.Heads, found.Count));
    }

    [Fact]
    public void A_dict_section_counts_alone()
        => Assert.Equal(16, Parse("{\"vision_config\": {\"patch_size\": 8}, \"vision_config_dict\": {}}", []).Vision.PatchSize);

    [Theory]
    [InlineData("{\"model_type\": \"clip\"}", "expected blip")]
    [InlineData("{\"text_config\": {\"position_embedding_type\": \"relative_key\"}}", "position_embedding_type")]
    [InlineData("{\"vision_config\": {\"num_channels\": 1}}", "num_channels")]
    [InlineData("{\"text_config\": {\"vocab_size\": -1}}", "vocab_size")]
    [InlineData("{\"text_config\": {\"label_smoothing\": \"much\"}}", "label_smoothing")]
    public void What_cannot_be_built_is_an_error_with_its_key(string json, string expected)
        => Assert.Contains(expected, Assert.Throws<ConfigFormatException>(() => Parse(json, [])).Message, StringComparison.Ordinal);

    [Fact]
    public void Texts_begin_and_end_as_the_layout_says()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip");
        var tokenizer = TokenizerLoader.LoadBlip(Path.Combine(folder, "blip-orig-retrieval", "vocab.txt"));
        var config = BlipSizes.Find("BLIP-base-384")!.Config with { Tokens = new BlipTokens(118, 119, 4, 0) };
        BlipText original = new(tokenizer, config), hf = new(tokenizer, config with { Conventions = BlipConventions.HuggingFace });
        Assert.Equal((119, 3), (original.Match("Two cats!")[0], hf.Match("Two cats!")[0]));
        Assert.Equal((119, 3), (original.Question("Two cats?")[0], hf.Question("Two cats?")[0]));
        Assert.Equal((3, 119, 118, 4), (original.Comparison("two cats")[0], hf.Statement("two cats")[0], original.Answer("two cats")[0], original.Answer("two cats")[^1]));
        Assert.Equal(hf.Match("two cats")[1..], original.Match("Two cats!")[1..]);
        Assert.Equal([118, 30, 53, 33], original.CaptionPrompt());
        Assert.Equal([118], hf.CaptionPrompt());
        Assert.Equal("two cats", original.DecodeCaption([.. original.CaptionPrompt("a picture of two cats"), 4]));
        Assert.Equal("", original.DecodeCaption([118, 4]));
        Assert.Equal(BlipMatcher.TextLength, original.Match(string.Join(' ', Enumerable.Repeat("cats eating", 40))).Length);
        Assert.Equal((35, 1), (original.Pad([[3, 4]], toTextLength: true).Length, original.Pad([[3, 4]], toTextLength: true).Count));
    }

    [Fact]
    public void Prompts_of_one_batch_lose_the_last_column_of_the_longest_as_in_transformers()
    {
        var tokenizer = TokenizerLoader.LoadBlip(Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip", "blip-orig-retrieval", "vocab.txt"));
        var text = new BlipText(tokenizer, BlipSizes.Find("BLIP-base-384")!.Config with { Tokens = new BlipTokens(118, 119, 4, 0) });
        int[][] prompts = text.CaptionPromptsInOneBatch(["a", "a picture of"]);
        Assert.Equal([118, 30, 4], prompts[0]);
        Assert.Equal([118, 30, 53, 33], prompts[1]);
    }

    private static BlipConfig Parse(string json, List<string> notes) => BlipHfConfig.Parse(Encoding.UTF8.GetBytes(json), "config.json", notes);
}
