using VlmKernels.Kernels;
using VlmKernels.Tasks.Verification;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public class ClipGoldenTests
{
    public static MatrixTheoryData<string, string> Cases => new(Fixtures.Cases("clip"), Backends.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_stage_matches_the_reference_implementation(string folder, string backendName)
    {
        using var backend = Backends.Make(backendName);
        var report = Verifier.Run(folder, backend);
        var failures = report.Failures.Select(f => $"{f.Call} {f.Stage} {f.Shape}: {f.MaxError:g3} {f.Note}");
        Assert.Empty(failures);
        if (Directory.EnumerateFiles(folder, "*model.safetensors").Any()) Assert.True(report.Ran);
        foreach (var checkpoint in report.Checkpoints) Assert.DoesNotContain(checkpoint.Checks, c => c.Verdict == Verdict.Skipped);
    }

    [Fact]
    public void The_repository_holds_twenty_three_cases_that_can_be_run()
    {
        string own = Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip");
        Assert.Equal(23, Directory.EnumerateDirectories(own).Count(d => Directory.EnumerateFiles(d, "*model.safetensors").Any()));
    }

    [Fact]
    public void Checkpoints_that_cannot_be_read_are_listed_with_the_reason()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", "clip-vit-a");
        using var backend = new ReferenceBackend();
        var report = Verifier.Run(folder, backend);
        Assert.Equal(["model.safetensors", "model.pt", "model_state_dict.pt"], report.Checkpoints.Select(c => c.File));
        Assert.Equal([true, false, false], report.Checkpoints.Select(c => c.SkippedBecause is null));
    }
}
