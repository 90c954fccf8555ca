using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary><c>vlm evaluate</c> with the shipped model, against every score of its reference implementation.</summary>
public sealed class EvaluateTests
{
    private const string Scenes = "tests/fixtures/zoo/scenes/annotations.json";

    private static readonly JsonElement Expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures.Repository, "models/fashion-clip/expected.json"))).RootElement;

    [Fact]
    public void Zero_shot_scores_and_answers_are_those_of_the_reference()
    {
        using var folder = new TemporaryFolder();
        string labels = folder.Write("labels.txt", string.Join('\n', Samples.Labels)), predictions = folder["predictions.jsonl"];
        var run = Vlm.Run("evaluate", "zero-shot", "tests/data/fashion-mnist/t10k-images-idx3-ubyte.gz", "--labels-file", labels, "--predictions", predictions, "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        var scores = run.Json.GetProperty("zero_shot");
        Assert.Equal(Expected.GetProperty("zero_shot").GetProperty("top1_percent").GetDouble(), scores.GetProperty("top1_percent").GetDouble(), 0.1);
        Assert.Equal(10_000, scores.GetProperty("confusion").EnumerateArray().Sum(row => row.EnumerateArray().Sum(c => c.GetInt32())));
        string answers = Expected.GetProperty("zero_shot").GetProperty("predictions").GetString()!;
        JsonElement[] lines = [.. File.ReadLines(predictions).Select(l => JsonDocument.Parse(l).RootElement)];
        Assert.Equal(10_000, lines.Length);
        Assert.True(lines.Count(l => l.GetProperty("predicted").GetInt32() == answers[l.GetProperty("index").GetInt32()] - '0') >= 9_990);
    }

    [Fact]
    public void Retrieval_scores_are_those_of_the_reference()
    {
        var run = Vlm.Run("evaluate", "retrieval", Scenes, "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        var scores = run.Json.GetProperty("scenes");
        foreach (string way in (string[])["image_to_text", "text_to_image"])
        {
            foreach (string at in (string[])["R@1", "R@5", "R@10"])
            {
                Assert.Equal(Expected.GetProperty("scenes").GetProperty(way).GetProperty(at).GetDouble(), scores.GetProperty(way).GetProperty(at).GetDouble(), 0.3);
            }
        }
    }

    [Fact]
    public void Right_captions_beat_wrong_ones_as_often_as_with_the_reference()
    {
        var run = Vlm.Run("evaluate", "pairs", Scenes, "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        var scores = run.Json.GetProperty("scenes");
        Assert.Equal(Expected.GetProperty("scenes").GetProperty("caption_beats_wrong_caption_percent").GetDouble(), scores.GetProperty("caption_beats_wrong_caption_percent").GetDouble(), 0.3);
        foreach (var kind in Expected.GetProperty("scenes").GetProperty("by_kind").EnumerateObject())
        {
            Assert.Equal(kind.Value[1].GetInt32(), scores.GetProperty("by_kind").GetProperty(kind.Name)[1].GetInt32());
        }
    }

    [Fact]
    public void Winoground_pairs_are_scored_by_text_image_and_group()
    {
        using var folder = new TemporaryFolder();
        string scenes = Path.Combine(Fixtures.Repository, "tests/fixtures/zoo/scenes");
        string file = folder.Write("pairs.jsonl", $$"""{"image_0": "{{scenes}}/0000.png", "image_1": "{{scenes}}/0001.png", "caption_0": "a yellow pullover to the left of a blue sandal", "caption_1": "a red bag above a blue shirt"}""");
        var scores = Vlm.Run("evaluate", "pairs", file, "--json").Json.GetProperty("winoground");
        Assert.Equal((100, 100, 100), (scores.GetProperty("text").GetInt32(), scores.GetProperty("image").GetInt32(), scores.GetProperty("group").GetInt32()));
    }

    [Fact]
    public void Clipscore_takes_lines_of_pictures_and_captions()
    {
        using var folder = new TemporaryFolder();
        string picture = Path.Combine(Fixtures.Repository, "models/samples/scene-3.png");
        string file = folder.Write("lines.jsonl", $$"""{"image": "{{picture}}", "captions": ["a purple sneaker on a gray background", "a sneaker"]}""");
        var run = Vlm.Run("evaluate", "clipscore", file, "--json");
        Assert.InRange(run.Json.GetProperty("clipscore").GetDouble(), 1, 2.5);
    }

    [Theory]
    [InlineData("{\"image\": \"a.png\"}", "captions")]
    [InlineData("{\"captions\": [\"a\"]}", "file")]
    [InlineData("{\"image\": \"a.png\", \"questions\": [{\"question\": \"what?\"}]}", "answer")]
    [InlineData("{\"image\": \"a.png\", \"questions\": \"what?\"}", "questions")]
    [InlineData("{\"image\": \"a.png\", \"questions\": [{\"question\": \"what?\", \"answer\": \"a bag\"}]}", "hold none")]
    [InlineData("nonsense", "line 1")]
    [InlineData("", "no annotation")]
    public void Damaged_annotations_are_named(string text, string named)
    {
        using var folder = new TemporaryFolder();
        var run = Vlm.Run("evaluate", "retrieval", folder.Write("bad.jsonl", text));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(named, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_per_class_is_a_dataset_too()
    {
        using var folder = new TemporaryFolder();
        foreach (var (label, file) in new[] { ("bag", "scene-6.png"), ("sneaker", "scene-3.png") })
        {
            Directory.CreateDirectory(folder[label]);
            File.Copy(Path.Combine(Fixtures.Repository, "models/samples", file), Path.Combine(folder[label], file));
        }
        var scores = Vlm.Run("evaluate", "zero-shot", folder[""], "--json").Json.GetProperty("zero_shot");
        Assert.Equal((2, 2), (scores.GetProperty("count").GetInt32(), scores.GetProperty("top1_correct").GetInt32()));
    }
}
