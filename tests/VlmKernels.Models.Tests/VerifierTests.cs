using VlmKernels.Kernels;
using VlmKernels.Tasks.Verification;
using Xunit;

namespace VlmKernels.Models.Tests;

public class VerifierTests
{
    [Theory]
    [InlineData("\"activation\": \"gelu\"", "\"activation\": \"quick_gelu\"", "the reference uses quick_gelu, but the checkpoint was recognised as Gelu")]
    [InlineData("\"name\": \"image_features\"", "\"name\": \"image_wonders\"", "a call of that name is not known")]
    [InlineData("\"activation\": \"gelu\"", "\"activation\": \"gelu\", \"dropout\": 1", "nothing is known about option dropout")]
    [InlineData("\"activation\": \"gelu\"", "\"activation\": \"gelu\", \"interpolate_pos_encoding\": true", null)]
    [InlineData("\"image_features\": \"out.image_features\"", "\"image_features\": \"out.text_features\"", "shape [3, 32]")]
    [InlineData("\"image_features\": \"out.image_features\"", "\"image_features\": \"out.nothing\"", "there is no tensor out.nothing")]
    [InlineData("\"image_features\": \"out.image_features\"", "\"image_wonders\": \"out.image_features\"", "no result of that name")]
    [InlineData("\"out\": 0.0001", "\"out\": 1e-12", " instead of ")]
    [InlineData("\"argmax\": [", "\"argmax\": [9, ", "found ")]
    public void A_golden_that_does_not_fit_fails(string old, string text, string? note)
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("golden.json", old, text);
        var report = Run(copy);
        Assert.Equal(note is null, report.Passed);
        if (note is not null) Assert.Contains(report.Failures, f => f.Note.Contains(note, StringComparison.Ordinal));
    }

    [Fact]
    public void A_wrong_activation_in_the_configuration_shows_in_the_first_mlp()
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("config.json", "\"hidden_act\": \"gelu\"", "\"hidden_act\": \"quick_gelu\"");
        copy.Replace("golden.json", "\"activation\": \"gelu\"", "\"activation\": \"quick_gelu\"");
        var report = Run(copy);
        Assert.Equal(["block.0.mlp", "block.0"], report.Failures.Take(2).Select(f => f.Stage));
    }

    [Fact]
    public void Unknown_stages_are_noted_and_skipped()
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("golden.json", "\"ln_pre\":", "\"rotary\":");
        var report = Run(copy);
        Assert.True(report.Passed);
        Assert.Equal("rotary", Assert.Single(report.Checkpoints[0].Checks, c => c.Verdict == Verdict.Skipped).Stage);
    }

    [Fact]
    public void Families_that_are_not_built_are_skipped_with_the_reason()
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("golden.json", "\"family\": \"clip\"", "\"family\": \"coca\"");
        var report = Run(copy);
        Assert.Equal((false, false, "coca is not supported by this version"), (report.Passed, report.Ran, report.Checkpoints[0].SkippedBecause));
    }

    [Fact]
    public void A_folder_without_a_checkpoint_has_not_passed()
    {
        using var copy = new CaseCopy("clip-vit-b");
        File.Delete(Path.Combine(copy.Path, "model.safetensors"));
        var report = Run(copy);
        Assert.False(report.Passed);
        Assert.Equal("nothing verified: the folder holds no checkpoint", Assert.Single(report.Failures).Note);
    }

    [Fact]
    public void A_checkpoint_that_cannot_be_read_fails()
    {
        using var copy = new CaseCopy("clip-vit-a");
        File.WriteAllText(Path.Combine(copy.Path, "model.pt"), "no weights");
        var failure = Assert.Single(Run(copy).Failures);
        Assert.Equal("load", failure.Call);
        Assert.Contains("model.pt: expected a safetensors or PyTorch file, found a file that begins with 'no weights'", failure.Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "nothing verified: golden.json has no calls")]
    [InlineData("""[{"name": "image_features", "inputs": {"pixel_values": "in.pixel_values"}}]""", "nothing verified: no output, mid or literal")]
    public void A_case_that_compares_nothing_fails(string calls, string note)
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("golden.json", "\"calls\":", $"\"calls\": {calls}, \"former_calls\":");
        var report = Run(copy);
        Assert.False(report.Passed);
        Assert.StartsWith(note, Assert.Single(report.Failures).Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"family\":", "family")]
    [InlineData("\"tolerance\":", "tolerance")]
    [InlineData("\"calls\":", "calls")]
    public void A_golden_without_a_key_names_it(string old, string key)
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("golden.json", old, "\"other\":");
        Assert.EndsWith($"golden.json: \"{key}\" is missing", Assert.Throws<InvalidDataException>(() => Run(copy)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_fails_with_every_reason()
    {
        using var copy = new CaseCopy("clip-vit-b");
        copy.Replace("config.json", "\"intermediate_size\": 160", "\"intermediate_size\": 161");
        var failure = Assert.Single(Run(copy).Failures);
        Assert.Equal("load", failure.Call);
        Assert.Contains("does not fit CLIP ViT 64×2, patch 8, 24 px (HF layout): 6 problems", failure.Note, StringComparison.Ordinal);
    }

    private static VerifyReport Run(CaseCopy copy)
    {
        using var backend = new ReferenceBackend();
        return Verifier.Run(copy.Path, backend);
    }
}
