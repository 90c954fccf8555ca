using VlmKernels.Tasks.Verification;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

public class BlipGoldenTests
{
    public static MatrixTheoryData<string, string> Cases => new(Fixtures.Cases("blip"), Backends.Names);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Every_stage_matches_the_reference_implementation(string folder, string backendName)
    {
        using var backend = Backends.Make(backendName);
        var report = Verifier.Run(folder, backend);
        var failures = report.Failures.Select(f => $"{f.Call} {f.Stage} {f.Shape}: {f.MaxError:g3} {f.Note}");
        Assert.Empty(failures);
        Assert.True(report.Ran);
        foreach (var checkpoint in report.Checkpoints) Assert.DoesNotContain(checkpoint.Checks, c => c.Verdict == Verdict.Skipped);
    }

    [Fact]
    public void The_repository_holds_fourteen_cases()
        => Assert.Equal(14, Directory.EnumerateDirectories(Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip")).Count());

    [Fact]
    public void A_file_that_only_serves_calls_of_another_one_is_not_run_on_its_own()
    {
        using var golden = GoldenCase.Open(Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip", "blip-orig-capfilt"));
        Assert.Equal(["filter.pth"], golden.Companions);
    }
}
