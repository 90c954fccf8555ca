using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>What people do with BLIP, as processes, on the models and pictures that ship.</summary>
public class BlipTests
{
    private const string Picture = "models/samples/scene-3.png", Caption = "a purple sneaker on a gray background";
    private const string Scenes = "tests/fixtures/zoo/scenes";

    [Fact]
    public void The_main_job_is_a_caption() => Assert.Equal(new Outcome(0, $"{Caption}\n", ""), Vlm.Run("caption", Picture));

    [Fact]
    public void Several_pictures_are_named_and_a_bad_one_costs_only_its_own_caption()
    {
        var run = Vlm.Run("caption", Picture, "README.md", "models/samples/scene-6.png");
        Assert.Equal((1, $"{Picture}: {Caption}\nmodels/samples/scene-6.png: a brown bag on a gray background\n"), (run.ExitCode, run.Output));
        Assert.StartsWith("vlm: README.md: expected a PNG, JPEG, GIF, BMP or WebP picture", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Beams_come_with_scores_the_best_first()
    {
        var line = Vlm.Run("caption", Picture, "--beams", "3", "--num", "3", "--json").Json;
        Assert.Equal((Picture, Caption), (line.GetProperty("file").GetString(), line.GetProperty("caption").GetString()));
        double[] scores = [line.GetProperty("score").GetDouble(), .. line.GetProperty("others").EnumerateArray().Select(o => o.GetProperty("score").GetDouble())];
        Assert.Equal(3, scores.Length);
        Assert.Equal(scores.OrderDescending(), scores);
    }

    [Fact]
    public void Samples_depend_on_the_seed_alone()
    {
        string Draw(string seed) => Vlm.Run("caption", Picture, "models/samples/scene-1.png", "--sample", "--temperature", "3", "--top-p", "0.95", "--top-k", "0", "--seed", seed, "--num", "3").Output;
        string first = Draw("7");
        Assert.Equal(first, Draw("7"));
        Assert.NotEqual(first, Draw("8"));
    }

    [Fact]
    public void A_prompt_begins_the_caption_and_tokens_are_counted_behind_it()
        => Assert.Equal(new Outcome(0, "a purple sneaker on\n", ""), Vlm.Run("caption", Picture, "--prompt", "a purple", "--max-tokens", "2"));

    [Fact]
    public void A_question_is_answered()
    {
        Assert.Equal(new Outcome(0, "sneaker\n", ""), Vlm.Run("ask", Picture, "what is the purple article?"));
        var ranked = Vlm.Run("ask", "models/samples/scene-1.png", "how many articles are there?", "--answers", "one", "two", "three", "--json").Json;
        Assert.Equal("two", ranked.GetProperty("answer").GetString());
        Assert.Equal(3, ranked.GetProperty("answers").GetArrayLength());
    }

    [Fact]
    public void A_text_that_fits_matches()
    {
        var lines = Vlm.Run("match", Picture, Caption, "a red bag above a blue coat", "--json").JsonLines;
        Assert.InRange(lines[0].GetProperty("match_probability").GetDouble(), 0.5, 1);
        Assert.InRange(lines[1].GetProperty("match_probability").GetDouble(), 0, 0.1);
        Assert.True(lines[0].GetProperty("cosine").GetDouble() > lines[1].GetProperty("cosine").GetDouble());
    }

    [Fact]
    public void Two_pictures_are_compared_with_a_statement()
    {
        var run = Vlm.Run("compare", Picture, "models/samples/scene-1.png", "both pictures show a bag", "--model", "tests/fixtures/blip/blip-orig-nlvr", "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.InRange(run.Json.GetProperty("probability").GetDouble(), 0, 1);
    }

    [Theory]
    [InlineData("expected a BLIP checkpoint, found ", "caption", Picture, "--model", "tests/fixtures/clip/clip-vit-b")]
    [InlineData("expected a BLIP model that writes captions, found one that answers questions", "caption", Picture, "--model", "fashion-blip-vqa")]
    [InlineData("expected a BLIP model that answers questions, found one that writes captions", "ask", Picture, "what?", "--model", "fashion-blip-caption")]
    [InlineData("expected a BLIP model that matches texts, found one that writes captions", "match", Picture, "a bag", "--model", "fashion-blip-caption")]
    [InlineData("expected a BLIP model that compares two pictures, found one that matches texts", "compare", Picture, Picture, "a bag", "--model", "fashion-blip-itm")]
    [InlineData("beams or samples, not both", "caption", Picture, "--sample", "--beams", "2")]
    [InlineData("belong to samples", "caption", Picture, "--temperature", "0.5")]
    [InlineData("most tokens: expected 1 to 47", "caption", Picture, "--max-tokens", "100")]
    [InlineData("--top-p: expected a number, found much", "caption", Picture, "--sample", "--top-p", "much")]
    [InlineData("--overwrite: belongs to --output", "caption", Picture, "--overwrite")]
    [InlineData("--json: the file of --output holds JSON", "caption", Picture, "--output", "artifacts/never.jsonl", "--json")]
    [InlineData("-: expected a list of files on standard input, one a line, found none", "caption", "-")]
    [InlineData("given answers are ranked, not written", "ask", Picture, "what?", "--answers", "bag", "--beams", "2")]
    [InlineData("texts of", "ask", Picture, "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a")]
    [InlineData("nowhere.png: expected a picture, found nothing", "match", "nowhere.png", "a bag")]
    public void Every_command_says_what_is_wrong(string message, params string[] args)
    {
        var run = Vlm.Run(args);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("vlm: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void On_a_terminal_a_caption_begins_with_its_prompt()
    {
        var run = Vlm.Start("script", ["-qec", $"'{Vlm.Host}' '{Vlm.Assembly}' caption {Picture} --prompt 'a purple' 2> /dev/null", "/dev/null"]);
        Assert.Equal(0, run.ExitCode);
        Assert.Contains($"{Caption}\r\n", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beams: expected 1 to 100, found 0", "--beams", "0")]
    [InlineData("TopP must be above 0", "--sample", "--top-p", "3")]
    [InlineData("texts for each picture: expected 1 to 3, found 9", "--num", "9", "--beams", "3")]
    [InlineData("leaves no room", "--prompt", "a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a a")]
    public void A_file_stays_as_it_is_when_options_are_wrong(string message, params string[] options)
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(folder["old.jsonl"], "old\n");
        foreach (string[] file in (string[][])[[folder["old.jsonl"], "--overwrite"], [folder["new.jsonl"]]])
        {
            var run = Vlm.Run(["caption", Picture, "--output", .. file, .. options]);
            Assert.Equal((1, ""), (run.ExitCode, run.Output));
            Assert.Contains(message, run.Error, StringComparison.Ordinal);
        }
        Assert.Equal(["old.jsonl"], Directory.EnumerateFiles(folder.Path).Select(Path.GetFileName));
        Assert.Equal("old\n", File.ReadAllText(folder["old.jsonl"]));
    }

    [Fact]
    public void A_line_feed_in_a_name_breaks_no_line()
    {
        using var folder = new TemporaryFolder();
        File.Copy(Path.Combine(VlmKernels.Testing.Fixtures.Repository, Picture), folder["a\nb.png"]);
        Assert.Equal(2, Vlm.Run("caption", Picture, folder["a\nb.png"]).Output.Count(c => c == '\n'));
    }

    [Fact]
    public void A_killed_run_goes_on_behind_its_last_whole_line()
    {
        using var folder = new TemporaryFolder();
        string[] Args(string file) => ["caption", Scenes, "--beams", "3", "--output", folder[file]];
        var undisturbed = Stopwatch.StartNew();
        var whole = Vlm.Run(Args("whole.jsonl"));
        Assert.True(whole.ExitCode == 0, whole.ToString());
        TimeSpan taken = undisturbed.Elapsed;
        var random = new Random(1);
        for (int kill = 0; kill < 3; kill++)
        {
            using var process = Process.Start(Vlm.Describe(Vlm.Host, [Vlm.Assembly, .. Args("killed.jsonl")]))!;
            if (process.WaitForExit(taken * (0.3 + (0.5 * random.NextDouble())))) break;
            process.Kill();
            process.WaitForExit();
        }
        // What a kill leaves of a line that was being written.
        File.AppendAllText(folder["killed.jsonl"], "{\"file\":\"half");
        var last = Vlm.Run(Args("killed.jsonl"));
        Assert.True(last.ExitCode == 0, last.ToString());
        Assert.Equal(File.ReadAllText(folder["whole.jsonl"]), File.ReadAllText(folder["killed.jsonl"]));
        string[] lines = File.ReadAllLines(folder["whole.jsonl"]);
        Assert.Equal(500, lines.Length);
        Assert.Equal("a yellow pullover to the left of a blue sandal", JsonDocument.Parse(lines[0]).RootElement.GetProperty("caption").GetString());
        var other = Vlm.Run("caption", Scenes, "--output", folder["whole.jsonl"]);
        Assert.Equal(1, other.ExitCode);
        Assert.Contains("is of a run that differs. beams: expected 3, found the model's own. ", other.Error, StringComparison.Ordinal);
        Assert.Contains("an earlier run has finished this", Vlm.Run(Args("whole.jsonl")).Error, StringComparison.Ordinal);
    }
}
