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
        foreach (var checkpoint in report.Checkpoints)
        {
            Assert.Null(checkpoint.SkippedBecause);
            Assert.DoesNotContain(checkpoint.Checks, c => c.Verdict == Verdict.Skipped);
        }
    }

    [Fact]
    public void Every_case_of_the_repository_is_run()
    {
        string own = Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip");
        Assert.Equal(27, Directory.EnumerateDirectories(own).Count(d => File.Exists(Path.Combine(d, "golden.json"))));
    }

    [Fact]
    public void Every_file_of_a_case_is_compared()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "clip", "clip-vit-a");
        using var backend = new ReferenceBackend();
        var report = Verifier.Run(folder, backend);
        Assert.Equal(["model.safetensors", "model.pt", "model_state_dict.pt"], report.Checkpoints.Select(c => c.File));
        Assert.All(report.Checkpoints, c => Assert.NotEmpty(c.Checks));
    }
}
