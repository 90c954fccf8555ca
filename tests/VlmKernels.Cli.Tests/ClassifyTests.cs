using Xunit;

namespace VlmKernels.Cli.Tests;

public class ClassifyTests
{
    private static readonly string[] TwoArticles = ["scene-3.png", "scene-6.png"];

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    [InlineData("vector128")]
    public void Every_tier_answers_as_the_reference_implementation_does(string isa)
    {
        if (!DoctorTests.AvailableIsas.Contains(isa)) Assert.Skip($"{isa} is not available here");
        Check(Vlm.Run(Samples.Classify(TwoArticles, "--device", "cpu", "--isa", isa)));
    }

    [Fact]
    public void The_reference_device_answers_as_the_reference_implementation_does() => Check(Vlm.Run(Samples.Classify(TwoArticles, "--device", "reference")));

    [Fact]
    public void The_number_of_threads_does_not_show_in_the_answer()
        => Assert.Equal(Vlm.Run(Samples.Classify(TwoArticles, "--threads", "1")).Output, Vlm.Run(Samples.Classify(TwoArticles, "--threads", "2")).Output);

    [Fact]
    public void More_pictures_than_are_computed_at_once_come_out_in_their_order()
    {
        string[] files = [.. Enumerable.Range(0, 20).Select(i => TwoArticles[i % 3 == 0 ? 0 : 1])];
        var lines = Vlm.Run(Samples.Classify(files)).JsonLines;
        Assert.Equal(files.Length, lines.Length);
        for (int i = 0; i < files.Length; i++) Samples.Check(lines[i], files[i]);
    }

    [Fact]
    public void The_table_shows_the_most_probable_labels()
    {
        var run = Vlm.Run(["classify", Samples.Path("scene-3.png"), "--top", "2", "--labels", .. Samples.Labels]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        Assert.Matches(@"^models/samples/scene-3\.png +sneaker +91\.14\d\d %", lines[1]);
        Assert.Matches(@"^ +bag +8\.12\d\d %", lines[2]);
        Assert.All(lines, line => Assert.Equal(line.TrimEnd(), line));
    }

    [Fact]
    public void Labels_come_from_a_file_too()
    {
        using var folder = new TemporaryFolder();
        string file = folder.Write("labels.txt", string.Join("\n", Samples.Labels) + "\n\n");
        var run = Vlm.Run("classify", Samples.Path("scene-6.png"), "--labels-file", file, "--top", "10", "--json");
        Samples.Check(run.Json, "scene-6.png");
    }

    [Fact]
    public void A_template_equal_to_the_default_changes_nothing_and_others_do()
    {
        string[] job = Samples.Classify(["scene-3.png"]);
        string plain = Vlm.Run(job).Output;
        Assert.Equal(plain, Vlm.Run([.. job, "--template", "a photo of a {}"]).Output);
        var mean = Vlm.Run([.. job, "--template", "a photo of a {}", "--template", "a purple {}"]);
        Assert.NotEqual(plain, mean.Output);
        Assert.Equal(1, mean.Json.GetProperty("probabilities").EnumerateObject().Sum(p => p.Value.GetDouble()), 1e-4);
    }

    [Fact]
    public void Photos_are_turned_as_their_orientation_says_unless_asked_not_to()
    {
        // Stored on its head, with a note of that.
        string[] job = ["classify", "tests/data/edge-cases/pillow/hopper_orientation_3.jpg", "--labels", "bag", "shoe", "--json"];
        Assert.NotEqual(Vlm.Run(job).Output, Vlm.Run([.. job, "--as-stored"]).Output);
    }

    [Fact]
    public void A_label_given_twice_counts_once_and_is_named()
    {
        var run = Vlm.Run("classify", Samples.Path("scene-6.png"), "--labels", "bag", "shoe", "bag", "--json");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("note: given more than once and used once: bag", run.Error, StringComparison.Ordinal);
        Assert.Equal(2, run.Json.GetProperty("probabilities").EnumerateObject().Count());
    }

    [Fact]
    public void A_bad_picture_does_not_cost_the_answers_of_the_others()
    {
        string[] job = Samples.Classify(TwoArticles);
        var run = Vlm.Run(["classify", "nowhere.png", "tests/data/edge-cases/pillow/truncated_image.png", "models", .. job[1..]]);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(
            [
                "vlm: nowhere.png: expected a picture, found nothing",
                "vlm: tests/data/edge-cases/pillow/truncated_image.png: damaged or truncated Png data (IncompleteInput)",
                "vlm: models: expected a picture, found a folder",
            ], run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(2, run.JsonLines.Length);
    }

    private static void Check(Outcome run)
    {
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Empty(run.Error);
        Assert.Equal(TwoArticles.Length, run.JsonLines.Length);
        for (int i = 0; i < TwoArticles.Length; i++) Samples.Check(run.JsonLines[i], TwoArticles[i]);
    }
}
