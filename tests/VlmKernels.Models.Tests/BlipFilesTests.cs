using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>What lies beside a BLIP checkpoint, and what is taken in its place.</summary>
public sealed class BlipFilesTests : IDisposable
{
    private readonly CaseCopy _copy = new("blip-hf-itm", "blip");

    public void Dispose() => _copy.Dispose();

    [Fact]
    public void Files_beside_the_checkpoint_are_used()
    {
        using var checkpoint = Open();
        var notes = new List<string>();
        Assert.Equal((24, 24), BlipFiles.Pipeline(checkpoint, notes).OutputSize(100, 50));
        Assert.Equal([3, 30, 59, 4], BlipFiles.Tokenizer(checkpoint, notes).Encode("a cat"));
        Assert.Empty(notes);
    }

    [Fact]
    public void Without_a_preprocessor_pictures_are_squashed_as_the_original_does()
    {
        File.Delete(Path.Combine(_copy.Path, "preprocessor_config.json"));
        using var checkpoint = Open();
        var notes = new List<string>();
        Assert.Equal((24, 24), BlipFiles.Pipeline(checkpoint, notes).OutputSize(100, 50));
        Assert.StartsWith("no preprocessor_config.json", Assert.Single(notes), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"height\": 24", "\"height\": 32", "become 24×32")]
    [InlineData("\"image_mean\"", "\"image_means\"", "image_means")]
    public void Rules_that_do_not_fit_the_model_are_refused(string old, string text, string expected)
    {
        _copy.Replace("preprocessor_config.json", old, text);
        using var checkpoint = Open();
        Assert.Contains(expected, Assert.Throws<ConfigFormatException>(() => BlipFiles.Pipeline(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_tokenizer_names_what_was_looked_for()
    {
        foreach (string file in (string[])["tokenizer.json", "vocab.txt"]) File.Delete(Path.Combine(_copy.Path, file));
        using var checkpoint = Open();
        Assert.Contains("looked for tokenizer.json and vocab.txt", Assert.Throws<FileNotFoundException>(() => BlipFiles.Tokenizer(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_with_more_ids_than_the_model_is_refused()
    {
        File.Delete(Path.Combine(_copy.Path, "tokenizer.json"));
        File.AppendAllText(Path.Combine(_copy.Path, "vocab.txt"), "one\nmore\n");
        using var checkpoint = Open();
        Assert.Contains("but the model", Assert.Throws<ConfigFormatException>(() => BlipFiles.Tokenizer(checkpoint)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_shipped_vocabulary_gives_the_published_ids()
    {
        var tokenizer = TokenizerLoader.LoadBlip(Path.Combine(Fixtures.Repository, "models", "bert-tokenizer", "vocab.txt"));
        var text = new BlipText(tokenizer, BlipSizes.Find("BLIP-base-384")!.Config);
        Assert.Equal(30524, tokenizer.VocabularySize);
        Assert.Equal([30522, 1037, 3861, 1997], text.CaptionPrompt());
        Assert.Equal("a woman sitting on the beach with her dog", text.DecodeCaption([30522, 1037, 3861, 1997, 1037, 2450, 3564, 2006, 1996, 3509, 2007, 2014, 3899, 102]));
    }

    [Fact]
    public void Ranking_many_answers_is_ranking_each()
    {
        var config = new BlipConfig(
            new BlipVisionConfig(new TransformerConfig(32, 64, 1, 2, Activation.Gelu, 1e-6f), 16, 8, PositionResizing.AtLoadPlain), new MedConfig(new TransformerConfig(32, 64, 1, 2, Activation.Gelu, 1e-12f), 60, 20), new BlipTokens(58, 59, 4, 0));
        using var backend = new ReferenceBackend();
        using var loaded = WeightLoader.Load(new RandomWeights(5), backend, root => new BlipVqa(root, config));
        using var session = new Session(backend);
        var states = session.TakeFloat(1, 3, 32);
        session.CopyIn<float>(Enumerable.Range(0, 96).Select(i => (i % 5) - 2f).ToArray(), states);
        int[][] answers = [.. Enumerable.Range(5, 20).Select(i => (int[])[58, i, i + 1, 4])];
        var all = TokenBatch.Pad(answers, 0);
        var together = loaded.Model.Rank(session, all.All, new CrossStates(states), 20)[0];
        Assert.Equal(Enumerable.Range(0, 20), together.Select(a => a.Index).Order());
        Assert.Equal(together.Select(a => a.FirstToken).OrderDescending(), together.Select(a => a.FirstToken));
        foreach (var answer in together)
        {
            var alone = loaded.Model.Rank(session, all.All.Pick([answer.Index]), new CrossStates(states), 1)[0][0];
            Assert.Equal((answer.Score, answer.FirstToken), (alone.Score, alone.FirstToken));
        }
        Assert.Equal(together[..3], loaded.Model.Rank(session, all.All, new CrossStates(states), 3)[0]);
    }

    private BlipCheckpoint Open() => BlipCheckpoint.Open(_copy.Path);
}
