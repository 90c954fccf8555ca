using Xunit;

namespace VlmKernels.Cli.Tests;

public class HelpTests
{
    [Theory]
    [InlineData("", "caption", "ask", "match", "compare", "classify", "inspect", "verify", "doctor", "--version")]
    [InlineData("classify", "<image>", "--model", "--labels", "--labels-file", "--template", "--top", "--as-stored", "--json", "--device", "--isa", "--threads", "VLMKERNELS_MODELS")]
    [InlineData("caption", "<image>", "--model", "--prompt", "--output", "--overwrite", "--beams", "--sample", "--num", "--max-tokens", "--min-tokens", "--temperature", "--top-k", "--top-p", "--seed", "--json", "fashion-blip-caption")]
    [InlineData("ask", "<image>", "<question>", "--model", "--answers", "--answers-file", "--beams", "--json", "fashion-blip-vqa")]
    [InlineData("match", "<image>", "<text>", "--model", "--json", "fashion-blip-itm")]
    [InlineData("compare", "<left>", "<right>", "<statement>", "--model", "--json", "NLVR2")]
    [InlineData("search", "<index>", "--text", "--picture", "--top", "--model", "--rerank", "--candidates", "--sheet", "--json", "--device", "--isa", "--threads", "current folder")]
    [InlineData("filter", "<annotations>", "--output", "--model", "--threshold", "--caption-model", "--seed", "--overwrite", "--as-stored", "fashion-blip-itm", "fashion-blip-caption")]
    [InlineData("inspect", "<path>", "--plan", "--batch", "--json", "ViT-bigG/14")]
    [InlineData("verify", "<case>", "--summary", "--json", "--device", "--isa", "--threads")]
    [InlineData("doctor", "--json", "--device", "--isa", "--threads")]
    public void Help_mentions_everything_that_can_be_given(string command, params string[] words)
    {
        var run = Vlm.Run([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.All(words, word => Assert.Contains(word, run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public void Without_arguments_the_command_shows_its_help()
    {
        var run = Vlm.Run();
        Assert.Equal((0, Vlm.Run("--help").Output), (run.ExitCode, run.Output));
    }

    [Fact]
    public void The_version_is_printed()
    {
        var run = Vlm.Run("--version");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", run.Output);
    }
}
