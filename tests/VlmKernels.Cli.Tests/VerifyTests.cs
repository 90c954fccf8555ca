using System.Text.Json;
using Xunit;

namespace VlmKernels.Cli.Tests;

public class VerifyTests
{
    private const string Case = "tests/fixtures/clip/clip-vit-b";

    [Fact]
    public void A_case_that_passes_shows_every_stage()
    {
        var run = Vlm.Run("verify", Case);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Matches(@"call +stage +shape +max error +tolerance +verdict", run.Output);
        Assert.Matches(@"image_features +block\.0\.attn +\[\d+, \d+, \d+\] +\d\.\de-\d+ +1\.0e-4 +passed", run.Output);
        Assert.DoesNotContain("FAILED", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_holds_the_same()
    {
        var report = Assert.Single(Vlm.Run("verify", Case, "--json").Json.EnumerateArray());
        Assert.Equal(("clip-vit-b", "clip", true), (report.GetProperty("case").GetString(), report.GetProperty("family").GetString(), report.GetProperty("passed").GetBoolean()));
        var stage = report.GetProperty("checkpoints")[0].GetProperty("stages")[0];
        Assert.Equal("passed", stage.GetProperty("verdict").GetString());
        Assert.True(stage.GetProperty("max_error").GetDouble() <= stage.GetProperty("tolerance").GetDouble());
        Assert.NotEmpty(stage.GetProperty("shape").GetString()!);
    }

    [Fact]
    public void One_changed_value_fails_its_stage_and_no_other()
    {
        using var copy = new TemporaryFolder(Case);
        AddOne(copy["golden.safetensors"], "out.image_features");
        var run = Vlm.Run("verify", copy.Path);
        Assert.Equal(1, run.ExitCode);
        string row = Assert.Single(run.Output.Split('\n'), l => l.EndsWith(" FAILED", StringComparison.Ordinal));
        Assert.Matches(@"^image_features +image_features ", row);
        var summary = Vlm.Run("verify", "--summary", copy.Path, Case);
        Assert.Equal(1, summary.ExitCode);
        Assert.Matches(@"FAILED, \d+ stages equal, 1 not", summary.Output);
        Assert.Matches(@"passed, \d+ stages equal, 0 not", summary.Output);
        var failed = Vlm.Run("verify", copy.Path, "--json").Json[0].GetProperty("checkpoints")[0].GetProperty("stages").EnumerateArray().Where(s => s.GetProperty("verdict").GetString() == "failed");
        Assert.Equal("image_features", Assert.Single(failed).GetProperty("stage").GetString());
    }

    [Fact]
    public void A_family_that_is_not_built_is_skipped()
    {
        using var copy = new TemporaryFolder(Case);
        copy.Write("golden.json", File.ReadAllText(copy["golden.json"]).Replace("\"family\": \"clip\"", "\"family\": \"coca\"", StringComparison.Ordinal));
        var run = Vlm.Run("verify", copy.Path);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("skipped, coca is not supported by this version", run.Output, StringComparison.Ordinal);
        Assert.Contains("vlm: nothing verified", run.Error, StringComparison.Ordinal);
        Assert.False(Vlm.Run("verify", copy.Path, "--json").Json[0].GetProperty("passed").GetBoolean());
        Assert.Equal(0, Vlm.Run("verify", copy.Path, Case).ExitCode);
    }

    [Fact]
    public void A_case_that_cannot_be_read_does_not_cost_the_reports_of_the_others()
    {
        var run = Vlm.Run("verify", "nowhere", Case, "--summary");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("vlm: nowhere/golden.json: expected a golden case, found nothing", run.Error, StringComparison.Ordinal);
        Assert.Contains("clip-vit-b", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void The_reference_device_passes_the_same_case()
    {
        var run = Vlm.Run("verify", Case, "--device", "reference", "--summary");
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Contains("reference", run.Output, StringComparison.Ordinal);
    }

    private static void AddOne(string path, string tensor)
    {
        byte[] file = File.ReadAllBytes(path);
        int header = checked((int)BitConverter.ToUInt64(file));
        var entry = JsonDocument.Parse(file.AsMemory(8, header)).RootElement.GetProperty(tensor);
        Assert.Equal("F32", entry.GetProperty("dtype").GetString());
        int at = 8 + header + entry.GetProperty("data_offsets")[0].GetInt32();
        BitConverter.TryWriteBytes(file.AsSpan(at), BitConverter.ToSingle(file, at) + 1);
        File.WriteAllBytes(path, file);
    }
}
