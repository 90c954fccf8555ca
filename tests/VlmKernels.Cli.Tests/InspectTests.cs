using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

public class InspectTests
{
    // Parameters in millions, as published.
    [Theory]
    [InlineData("ViT-B/32", 151.28)]
    [InlineData("ViT-B/16", 149.62)]
    [InlineData("ViT-B/16-plus-240", 208.38)]
    [InlineData("ViT-L/14", 427.62)]
    [InlineData("ViT-L/14@336px", 427.94)]
    [InlineData("ViT-H/14", 986.11)]
    [InlineData("ViT-g/14", 1366.68)]
    [InlineData("ViT-bigG/14", 2539.57)]
    [InlineData("RN50", 102.01)]
    [InlineData("RN101", 119.69)]
    [InlineData("RN50x4", 178.30)]
    [InlineData("RN50x16", 290.98)]
    [InlineData("RN50x64", 623.26)]
    public void A_plan_counts_the_published_parameters(string size, double millions)
    {
        var plan = Vlm.Run("inspect", "--plan", size.ToLowerInvariant(), "--json").Json;
        Assert.Equal(size, plan.GetProperty("name").GetString());
        Assert.Equal(millions, plan.GetProperty("towers").EnumerateArray().Sum(t => t.GetProperty("parameters").GetInt64()) / 1e6, 0.01);
    }

    [Fact]
    public void The_table_of_a_plan_adds_up_the_towers()
    {
        var run = Vlm.Run("inspect", "--plan", "ViT-B/32", "--batch", "8");
        Assert.Contains("CLIP ViT-B/32, batch 8", run.Output, StringComparison.Ordinal);
        Assert.Matches(@"both +151,277,312 ", run.Output);
    }

    [Fact]
    public void The_model_that_ships_is_recognised()
    {
        var run = Vlm.Run("inspect", "fashion-clip");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"recognised +CLIP ViT 128×4, patch 8, 64 px \(HF layout\)", run.Output);
        Assert.Matches(@"parameters +1,405,825 in 110 tensors", run.Output);
        Assert.Contains("{0…3}", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models/fashion-clip", "HF layout", "config.json")]
    [InlineData("tests/fixtures/clip/clip-vit-c-oc-up", "OpenAI layout", "open_clip_config.json")]
    [InlineData("tests/fixtures/clip/clip-vit-a", "OpenAI layout", null)]
    public void Json_names_layout_configuration_and_tensors(string path, string layout, string? configuration)
    {
        var json = Vlm.Run("inspect", path, "--json").Json;
        Assert.Equal((layout, configuration), (json.GetProperty("layout").GetString(), Path.GetFileName(json.GetProperty("configuration").GetString())));
        Assert.True(json.GetProperty("supported").GetBoolean());
        Assert.True(json.GetProperty("parameters").GetInt64() > 0);
        Assert.NotEmpty(json.GetProperty("tensors").EnumerateArray());
    }

    [Fact]
    public void A_checkpoint_without_its_configuration_is_shown_with_a_note()
    {
        using var folder = new TemporaryFolder("models/fashion-clip");
        File.Delete(folder["config.json"]);
        var run = Vlm.Run("inspect", folder.Path);
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"recognised +CLIP \(HF layout\)\n", run.Output);
        Assert.Matches(@"note +no config\.json beside the checkpoint", run.Output);
        Assert.Matches(@"parameters +1,405,825 in 110 tensors", run.Output);
        Assert.Contains("{0…3}", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_BLIP_says_what_it_can_do()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "blip", "blip-hf-itm");
        var run = Vlm.Run("inspect", folder);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"can +match pictures with texts, encode pictures and texts", run.Output);
        var json = Vlm.Run("inspect", folder, "--json").Json;
        Assert.Equal(("BLIP", true), (json.GetProperty("family").GetString(), json.GetProperty("supported").GetBoolean()));
    }

    [Fact]
    public void A_family_that_is_not_built_is_shown_nevertheless()
    {
        using var folder = new TemporaryFolder();
        const string Header = """{"vision_model.head.probe":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";
        folder.Write("model.safetensors", [.. BitConverter.GetBytes((long)Header.Length), .. System.Text.Encoding.UTF8.GetBytes(Header), 0, 0, 0, 0]);
        var run = Vlm.Run("inspect", folder.Path);
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"recognised +SigLIP, not supported by this version", run.Output);
        Assert.False(Vlm.Run("inspect", folder.Path, "--json").Json.GetProperty("supported").GetBoolean());
    }
}
