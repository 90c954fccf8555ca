using System.Diagnostics;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

public class PipeTests
{
    [Theory]
    [InlineData("inspect", "fashion-clip")]
    [InlineData("verify", "tests/fixtures/clip/clip-vit-b")]
    [InlineData("doctor")]
    public void A_pipe_gets_no_escape_sequences(params string[] args)
    {
        // Build servers set this, and terminal libraries then take a pipe for a terminal.
        var run = Vlm.Run(args, [("GITHUB_ACTIONS", "true"), ("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]);
        Assert.Equal(0, run.ExitCode);
        Assert.DoesNotContain('\u001b', run.Output + run.Error);
    }

    [Fact]
    public void A_reader_that_goes_away_is_no_fault()
    {
        // More than a pipe holds.
        string cases = string.Join(' ', Fixtures.Cases("clip").Where(c => !c.Contains("e2e", StringComparison.Ordinal)).Take(20).Select(c => $"'{c}'"));
        var run = Vlm.Start("bash", ["-c", $"set -o pipefail; '{Vlm.Host}' '{Vlm.Assembly}' verify --json {cases} | head -1"]);
        Assert.Equal((0, "[\n", ""), (run.ExitCode, run.Output, run.Error));
    }

    [Fact]
    public void A_full_disk_is_an_error_and_no_crash()
    {
        var run = Vlm.Start("bash", ["-c", $"'{Vlm.Host}' '{Vlm.Assembly}' inspect fashion-clip > /dev/full"]);
        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith("vlm: ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupt_ends_the_command_at_once()
    {
        string[] files = [.. Enumerable.Repeat("scene-3.png", 2000)];
        // A shell without job control starts what it puts in the background deaf to interrupts.
        using var process = Process.Start(Vlm.Describe("env", ["--default-signal=INT", Vlm.Host, Vlm.Assembly, .. Samples.Classify(files, "--device", "reference")]))!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        Assert.False(process.WaitForExit(TimeSpan.FromSeconds(3)), "the job was too short to be interrupted");
        Vlm.Start("kill", ["-INT", $"{process.Id}"]);
        bool ended = process.WaitForExit(TimeSpan.FromSeconds(10));
        if (!ended) process.Kill(entireProcessTree: true);
        Assert.True(ended, "the command went on");
        Assert.NotEqual(0, process.ExitCode);
        Assert.DoesNotContain("   at ", process.StandardError.ReadToEnd(), StringComparison.Ordinal);
    }
}
