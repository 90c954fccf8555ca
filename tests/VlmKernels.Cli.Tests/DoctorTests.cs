using Xunit;

namespace VlmKernels.Cli.Tests;

public class DoctorTests
{
    private static readonly Lazy<string[]> Available = new(() =>
        [.. Vlm.Run("doctor", "--json").Json.GetProperty("available_isas").EnumerateArray().Select(i => i.GetString()!)]);

    /// <summary>Tiers of this machine.</summary>
    public static string[] AvailableIsas => Available.Value;

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    [InlineData("vector128")]
    public void The_tier_in_use_is_the_one_asked_for(string isa)
    {
        if (!AvailableIsas.Contains(isa)) Assert.Skip($"{isa} is not available here");
        var report = Vlm.Run("doctor", "--json", "--isa", isa, "--threads", "1").Json;
        Assert.Equal((isa, 1), (report.GetProperty("isa").GetString(), report.GetProperty("threads").GetInt32()));
        Assert.True(report.GetProperty("peak_gflops").GetDouble() > 0);
        Assert.False(report.GetProperty("native_code").GetBoolean());
    }

    [Fact]
    public void The_widest_tier_is_the_default() => Assert.Equal(AvailableIsas[^1], Vlm.Run("doctor", "--json").Json.GetProperty("isa").GetString());

    [Fact]
    public void The_table_names_the_model_that_ships()
    {
        var run = Vlm.Run("doctor");
        Assert.Equal(0, run.ExitCode);
        Assert.Contains("instruction set", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"model fashion-clip +.*models/fashion-clip", run.Output);
    }

    [Fact]
    public void Models_are_found_by_name_in_the_folders_of_the_variable()
    {
        using var root = new TemporaryFolder();
        using var model = new TemporaryFolder("models/fashion-clip");
        Directory.CreateSymbolicLink(root["my-clip"], model.Path);
        (string, string?)[] environment = [("VLMKERNELS_MODELS", $"{root["missing"]}:{root.Path}")];
        Samples.Check(Vlm.Run(Samples.Classify(["scene-3.png"], "--model", "my-clip"), environment).Json, "scene-3.png");
        Assert.Contains("known are: fashion-blip-caption, fashion-blip-itm, fashion-blip-vqa, fashion-clip, my-clip", Vlm.Run(["inspect", "other"], environment).Error, StringComparison.Ordinal);
        Assert.Contains(Vlm.Run(["doctor", "--json"], environment).Json.GetProperty("models").EnumerateArray(), m => m.GetProperty("name").GetString() == "my-clip");
    }
}
