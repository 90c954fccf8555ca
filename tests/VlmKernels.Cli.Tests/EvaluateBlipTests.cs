using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary><c>vlm evaluate caption</c>, <c>vqa</c>, <c>itm</c> and <c>pairs --scorer generative</c> with the shipped models, against the scores of their reference implementation.</summary>
public sealed class EvaluateBlipTests
{
    private const string Scenes = "tests/fixtures/zoo/scenes/annotations.json";
    private const double Points = 0.3;

    [Theory]
    [InlineData("1", "greedy")]
    [InlineData("3", "beams_3")]
    public void Captions_are_as_good_as_those_of_the_reference(string beams, string name)
    {
        JsonElement found = Run("caption", Scenes, "--beams", beams), scores = found.GetProperty(name), expected = Expected("fashion-blip-caption").GetProperty(name);
        Near(expected, scores, "exact_match_percent");
        if (expected.TryGetProperty("caption_words_found_percent", out _)) Near(expected, scores, "caption_words_found_percent");
        Assert.True(Equal(expected, scores, "captions") >= 495);
        Assert.InRange(scores.GetProperty("bleu_4").GetDouble(), 0.85, 0.95);
        Assert.InRange(scores.GetProperty("cider_d").GetDouble(), 8, 9.5);
        Assert.True(found.GetProperty("blind").GetProperty("exact_match_percent").GetDouble() < 5);
        Assert.True(found.GetProperty("blind").GetProperty("cider_d").GetDouble() < 1);
    }

    [Fact]
    public void Answers_are_as_good_as_those_of_the_reference()
    {
        JsonElement found = Run("vqa", Scenes), expected = Expected("fashion-blip-vqa");
        Near(expected, found, "accuracy_percent");
        Assert.True(Equal(expected, found, "answers_in_annotation_order") >= 1493);
        foreach (var kind in expected.GetProperty("by_kind").EnumerateObject()) Assert.Equal(kind.Value[1].GetInt32(), found.GetProperty("by_kind").GetProperty(kind.Name)[1].GetInt32());
        Assert.True(found.GetProperty("blind").GetProperty("accuracy_percent").GetDouble() < 50);
    }

    [Fact]
    public void Right_captions_match_as_often_as_with_the_reference()
    {
        JsonElement found = Run("itm", Scenes), expected = Expected("fashion-blip-itm");
        foreach (string score in (string[])["itm_caption_beats_wrong_percent", "itm_accuracy_at_half_percent", "itc_caption_beats_wrong_percent"])
        {
            Near(expected, found, score);
            Assert.InRange(found.GetProperty("blind").GetProperty(score).GetDouble(), 40, 60);
        }
        foreach (string list in (string[])["itm_probability_caption", "itm_probability_wrong", "itc_cosine_caption", "itc_cosine_wrong"])
        {
            foreach (var (e, f) in expected.GetProperty(list).EnumerateArray().Zip(found.GetProperty(list).EnumerateArray())) Assert.Equal(e.GetDouble(), f.GetDouble(), 1e-3);
        }
    }

    [Fact]
    public void Likelihoods_tell_right_captions_from_wrong_ones_and_the_prior_does_not()
    {
        var found = Run("pairs", Scenes, "--scorer", "generative");
        JsonElement[] all = [.. found.GetProperty("by_alpha").EnumerateArray()];
        Assert.Equal(Enumerable.Range(0, 11).Select(i => i / 10.0), all.Select(a => a.GetProperty("alpha").GetDouble()));
        Assert.All(all, a => Assert.InRange(Won(a), 90, 100));
        Assert.InRange(Won(found.GetProperty("blind")), 20, 80);
    }

    [Fact]
    public void Winoground_pairs_are_scored_by_likelihood_too()
    {
        using var folder = new TemporaryFolder();
        string scenes = Path.Combine(Fixtures.Repository, "tests/fixtures/zoo/scenes");
        string file = folder.Write("pairs.jsonl", $$"""{"image_0": "{{scenes}}/0000.png", "image_1": "{{scenes}}/0001.png", "caption_0": "a yellow pullover to the left of a blue sandal", "caption_1": "a red bag above a blue shirt"}""");
        var found = Run("pairs", file, "--scorer", "generative");
        Assert.All(found.GetProperty("by_alpha").EnumerateArray(), a => Assert.Equal(100, a.GetProperty("winoground").GetProperty("group").GetDouble()));
        Assert.Equal(0, found.GetProperty("blind").GetProperty("winoground").GetProperty("group").GetDouble());
    }

    [Fact]
    public void Pictures_may_have_different_numbers_of_questions_and_no_caption()
    {
        using var folder = new TemporaryFolder();
        string scenes = Path.Combine(Fixtures.Repository, "tests/fixtures/zoo/scenes");
        const string Is = """{"question": "is there a pullover?", "answer": "yes"}""", Many = """{"question": "how many articles are there?", "answer": "two"}""";
        string file = folder.Write("questions.jsonl", $$"""
            {"image": "{{scenes}}/0000.png", "questions": [{{Is}}, {{Many}}]}
            {"image": "{{scenes}}/0001.png", "questions": [{{Many}}]}
            """);
        var found = Run("vqa", file);
        Assert.Equal(["yes", "two", "two"], found.GetProperty("answers_in_annotation_order").EnumerateArray().Select(a => a.GetString()!));
        Assert.Equal(100, found.GetProperty("accuracy_percent").GetDouble());
    }

    [Theory]
    [InlineData("captions", "caption", Scenes, "--model", "fashion-blip-vqa")]
    [InlineData("generative", "pairs", Scenes, "--scorer", "itm")]
    [InlineData("--beams", "caption", Scenes, "--beams", "0")]
    public void What_cannot_be_judged_is_said(string named, params string[] args)
    {
        var run = Vlm.Run(["evaluate", .. args]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Output);
    }

    private static JsonElement Run(params string[] args)
    {
        var run = Vlm.Run(["evaluate", .. args, "--json"]);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run.Json;
    }

    private static JsonElement Expected(string model) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures.Repository, "models", model, "expected.json"))).RootElement;

    private static void Near(JsonElement expected, JsonElement found, string score) => Assert.Equal(expected.GetProperty(score).GetDouble(), found.GetProperty(score).GetDouble(), Points);

    private static int Equal(JsonElement expected, JsonElement found, string list)
        => expected.GetProperty(list).EnumerateArray().Zip(found.GetProperty(list).EnumerateArray()).Count(p => p.First.GetString() == p.Second.GetString());

    private static double Won(JsonElement scores) => scores.GetProperty("scenes").GetProperty("caption_beats_wrong_caption_percent").GetDouble();
}
