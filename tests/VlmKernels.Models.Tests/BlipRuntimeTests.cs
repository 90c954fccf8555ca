using System.Text.Json;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The shipped BLIP models on the 500 scenes that they were not trained on: what the reference implementation says of every one.</summary>
public sealed class BlipRuntimeTests : IDisposable
{
    private const int Scenes = 500;

    private readonly IBackend _backend = Devices.Open();
    private readonly JsonElement _scenes = Json("tests/fixtures/zoo/scenes/annotations.json").GetProperty("scenes");

    public void Dispose() => _backend.Dispose();

    [Theory]
    [InlineData(1, "greedy")]
    [InlineData(3, "beams_3")]
    public void Captions_are_those_of_the_reference(int beams, string key)
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        var options = new WritingOptions { Beams = beams, MaxTokens = 24 };
        string[] captions = [.. Each(model, (pixels, batch) => model.Caption(session, pixels, batch.Length, options).Select(c => c[0].Text))];
        AssertEqual(Texts(Expected("caption").GetProperty(key).GetProperty("captions")), captions, 0.99);
    }

    [Fact]
    public void Answers_are_those_of_the_reference()
    {
        using var model = BlipAnswerRuntime.Open(Model("vqa"), _backend);
        using var session = new Session(_backend);
        string[] answers = [.. Each(model, (pixels, batch) => model.Answer(session, pixels, batch.Length, [.. batch.SelectMany(Questions)], new WritingOptions { MaxTokens = 8 }).Select(a => a[0].Text))];
        AssertEqual(Texts(Expected("vqa").GetProperty("answers_in_annotation_order")), answers, 0.995);
    }

    [Fact]
    public void Matches_are_those_of_the_reference()
    {
        using var model = BlipMatchRuntime.Open(Model("itm"), _backend);
        using var session = new Session(_backend);
        MatchScore[] scores = [.. Each(model, (pixels, batch) => model.Match(session, pixels, batch.Length, [.. batch.SelectMany(i => (string[])[Scene(i, "caption"), Scene(i, "wrong_caption")])]))];
        foreach (var (kind, first) in (ReadOnlySpan<(string, int)>)[("caption", 0), ("wrong", 1)])
        {
            AssertNear(Expected("itm").GetProperty($"itm_probability_{kind}"), i => scores[(2 * i) + first].Probability);
            AssertNear(Expected("itm").GetProperty($"itc_cosine_{kind}"), i => scores[(2 * i) + first].Cosine);
        }
    }

    [Fact]
    public void Given_answers_are_ranked_as_whole_texts()
    {
        using var model = BlipAnswerRuntime.Open(Model("vqa"), _backend);
        using var session = new Session(_backend);
        byte[] pixels = Prepare(model, [0]);
        var ranked = model.RankAnswers(session, pixels, 1, [.. Questions(0)], ["two", "pullover", "yes", "no", "sandal"])[..3];
        Assert.Equal(["pullover", "yes", "two"], ranked.Select(r => r[0].Answer));
        Assert.All(ranked, r => Assert.Equal(5, r.Length));
        Assert.All(ranked, r => Assert.True(r[0].Score > r[1].Score && r[0].Score <= 0));
    }

    [Fact]
    public void The_caption_is_likelier_than_a_wrong_one()
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        int[] scenes = [.. Enumerable.Range(0, 40)];
        var judged = model.LogProbability(session, Prepare(model, scenes), scenes.Length, [.. scenes.SelectMany(i => (string[])[Scene(i, "caption"), Scene(i, "wrong_caption")])]);
        Assert.InRange(scenes.Count(i => judged[2 * i].LogProbability > judged[(2 * i) + 1].LogProbability), 37, 40);
        Assert.Equal(Enumerable.Range(0, 80).Select(i => model.Tokenizer.Encode(Scene(i / 2, i % 2 == 0 ? "caption" : "wrong_caption"), addSpecialTokens: false).Length + 1), judged.Select(j => j.Tokens));
    }

    [Fact]
    public void The_score_of_a_sample_is_its_likelihood_where_nothing_is_cut_off()
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        byte[] pixels = Prepare(model, [7]);
        var drawn = model.Caption(session, pixels, 1, new WritingOptions { Samples = true, TopK = 0, Seed = 5, Count = 4 })[0];
        foreach (var sample in drawn.Where(d => d.HasEnded && model.Tokenizer.Encode(d.Text, addSpecialTokens: false).SequenceEqual(d.Tokens.SkipLast(1))))
        {
            Assert.Equal(model.LogProbability(session, pixels, 1, [sample.Text])[0].LogProbability, sample.Score!.Value, 1e-3);
        }
    }

    [Fact]
    public void A_picture_s_texts_do_not_depend_on_the_others_of_its_batch()
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        int[] scenes = [3, 4, 5];
        byte[] pixels = Prepare(model, scenes);
        WritingOptions Draw(int first) => new() { Samples = true, TopP = 0.9f, Seed = 11, Count = 2, FirstRow = first };
        var together = model.Caption(session, pixels, 3, Draw(0));
        for (int i = 0; i < 3; i++)
        {
            var alone = model.Caption(session, pixels.AsSpan(i * model.PixelBytes, model.PixelBytes), 1, Draw(2 * i))[0];
            Assert.Equal(together[i].Select(t => (t.Text, t.Score)), alone.Select(t => (t.Text, t.Score)));
        }
    }

    [Fact]
    public void Every_question_of_a_call_draws_for_itself()
    {
        using var model = BlipAnswerRuntime.Open(Model("vqa"), _backend);
        using var session = new Session(_backend);
        byte[] pixels = Prepare(model, [3]);
        int count = (2 * model.TextsAtOnce) + 2;
        WritingOptions Draw(int first) => new() { Samples = true, Temperature = 4, TopK = 0, Seed = 3, Count = 2, FirstRow = first };
        // The last one is longer than the others, so it is answered in a pass of its own.
        string[] questions = [.. Enumerable.Repeat("what is it?", count - 1), "what is the article?"];
        string[] answers = [.. model.Answer(session, pixels, 1, questions, Draw(0)).Select(a => $"{a[0].Text}|{a[1].Text}")];
        Assert.InRange(answers.Distinct().Count(), model.TextsAtOnce + 10, count);
        var alone = model.Answer(session, pixels, 1, questions[^1..], Draw(2 * (count - 1)))[0];
        Assert.Equal(answers[^1], $"{alone[0].Text}|{alone[1].Text}");
    }

    [Fact]
    public void A_text_ends_before_a_stop_string_behind_its_prompt()
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        byte[] pixels = Prepare(model, [0]);
        string Written(string? prompt, params string[] stops) => model.Caption(session, pixels, 1, new WritingOptions { Stops = stops }, prompt)[0][0].Text;
        Assert.Equal("a yellow pullover to the left of ", Written(null, "a blue", "sandal"));
        Assert.Equal("a yellow pullover ", Written("a yellow", "yellow", "to"));
        Assert.Equal("a yellow pullover to the left of a blue sandal", Written("a yellow", "yellow"));
    }

    [Theory]
    [InlineData("caption", "expected a BLIP model that answers questions, found one that writes captions")]
    [InlineData("itm", "expected a BLIP model that answers questions, found one that matches texts and encodes")]
    public void A_model_of_another_kind_is_refused(string kind, string message)
        => Assert.Contains(message, Assert.Throws<Weights.WeightFileException>(() => BlipAnswerRuntime.Open(Model(kind), _backend)).Message, StringComparison.Ordinal);

    [Fact]
    public void Options_that_contradict_each_other_or_the_model_are_refused()
    {
        using var model = BlipCaptionRuntime.Open(Model("caption"), _backend);
        using var session = new Session(_backend);
        byte[] pixels = Prepare(model, [0]);
        void Refused(string message, WritingOptions options) => Assert.Contains(message, Assert.Throws<ArgumentException>(() => model.Caption(session, pixels, 1, options)).Message, StringComparison.Ordinal);
        Refused("beams or samples", new WritingOptions { Samples = true, Beams = 3 });
        Refused("belong to samples", new WritingOptions { Temperature = 0.5f });
        Refused("belong to samples", new WritingOptions { TopK = 3 });
        Refused("expected 1 to 3, found 4", new WritingOptions { Beams = 3, Count = 4 });
        Refused("expected 1 to 47, which the model has room for, found 48", new WritingOptions { MaxTokens = 48 });
        Refused("expected 0 to 5, found 6", new WritingOptions { MaxTokens = 5, MinTokens = 6 });
        Refused("stop strings", new WritingOptions { Beams = 2, Stops = ["a"] });
    }

    /// <summary>Runs over all scenes, a pass at a time.</summary>
    private static List<T> Each<T>(BlipRuntime model, Func<byte[], int[], IEnumerable<T>> run)
        => [.. Enumerable.Range(0, Scenes).Chunk(model.PicturesAtOnce).SelectMany(batch => run(Prepare(model, batch), batch).ToArray())];

    private static byte[] Prepare(BlipRuntime model, int[] scenes)
    {
        byte[] pixels = new byte[scenes.Length * model.PixelBytes];
        using var reader = PictureReader.OfFiles(model, [.. scenes.Select(i => Path.Combine(Fixtures.Repository, $"tests/fixtures/zoo/scenes/{i:D4}.png"))], scenes.Length);
        foreach (var batch in reader.Batches()) batch.Pixels.CopyTo(pixels);
        return pixels;
    }

    private string Scene(int i, string field) => _scenes[i].GetProperty(field).GetString()!;

    private IEnumerable<string> Questions(int i) => _scenes[i].GetProperty("questions").EnumerateArray().Select(q => q.GetProperty("question").GetString()!);

    private static void AssertEqual(string[] expected, string[] found, double share)
    {
        Assert.Equal(expected.Length, found.Length);
        int equal = expected.Zip(found).Count(p => p.First == p.Second);
        TestContext.Current.TestOutputHelper?.WriteLine($"{equal} of {expected.Length} equal");
        Assert.True(equal >= share * expected.Length, $"{equal} of {expected.Length} equal");
    }

    private static void AssertNear(JsonElement expected, Func<int, float> found)
    {
        Assert.Equal(Scenes, expected.GetArrayLength());
        for (int i = 0; i < Scenes; i++) Assert.Equal(expected[i].GetSingle(), found(i), 1e-3f);
    }

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Select(t => t.GetString()!)];

    private static string Model(string kind) => Path.Combine(Fixtures.Repository, "models", $"fashion-blip-{kind}");

    private static JsonElement Expected(string kind) => Json($"models/fashion-blip-{kind}/expected.json");

    private static JsonElement Json(string file) => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Fixtures.Repository, file))).RootElement;
}
