using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>Whatever goes wrong: one clear message on standard error, nothing on standard output, exit code 1, no stack trace.</summary>
public class ErrorTests
{
    [Theory]
    [InlineData("nowhere.png: expected a picture, found nothing", "nowhere.png")]
    [InlineData("src: expected a picture, found a folder", "src")]
    [InlineData("README.md: expected a PNG, JPEG, GIF, BMP or WebP picture", "README.md")]
    [InlineData("device gpu is unknown: expected cpu or reference", "P", "--device", "gpu")]
    [InlineData("isa sse9 is unknown: expected avx512, avx2 or vector128", "P", "--isa", "sse9")]
    [InlineData("isa avx2: device reference has no instruction-set tiers", "P", "--device", "reference", "--isa", "avx2")]
    [InlineData("threads must be 1 to 1024, found 0", "P", "--threads", "0")]
    [InlineData("nothing: neither a file or folder nor a known model; known are: fashion-blip-caption, fashion-blip-itm, fashion-blip-vqa, fashion-clip", "P", "--model", "nothing")]
    [InlineData("the model's path or name is empty", "P", "--model", "")]
    [InlineData("--top: expected a whole number, found many", "P", "--top", "many")]
    [InlineData("--threads: expected a whole number, found 1.5", "P", "--threads", "1.5")]
    [InlineData("no/model: no such file or folder", "P", "--model", "no/model")]
    [InlineData("expected nothing that could run code, found 'posix.system' at byte", "P", "--model", "tests/fixtures/inputs/weights/hostile/reduce-os-system.pt")]
    [InlineData("--top: expected at least 1, found 0", "P", "--top", "0")]
    [InlineData("template \"a photo\" has no {} for the label", "P", "--template", "a photo")]
    [InlineData("nowhere.txt: expected a text file of labels, found nothing", "P", "--labels-file", "nowhere.txt")]
    [InlineData("option --tpo is unknown", "P", "--tpo", "3")]
    public void Classify_says_what_is_wrong(string message, params string[] args)
    {
        string[] given = [.. args.Select(a => a == "P" ? Samples.Path("scene-3.png") : a)];
        Failed(Vlm.Run(["classify", .. given, "--labels", "bag", "shoe"]), message);
    }

    [Theory]
    [InlineData("no labels: give --labels or --labels-file", "classify", "models/samples/scene-3.png")]
    [InlineData("option --label is unknown", "classify", "models/samples/scene-3.png", "--label", "bag")]
    [InlineData("option --lables is unknown", "classify", "models/samples/scene-3.png", "--labels", "bag", "--lables", "shoe")]
    [InlineData("Required argument 'image' missing", "classify", "--labels", "bag")]
    [InlineData("see 'vlm classify --help'", "classify")]
    [InlineData("Unrecognized command or argument 'clasify'", "clasify")]
    [InlineData("see 'vlm --help'", "clasify")]
    [InlineData("give a path, the name of a model, or --plan NAME", "inspect")]
    [InlineData("tests/data: expected a safetensors or PyTorch file, found no checkpoint at all", "inspect", "tests/data")]
    [InlineData("README.md: expected a safetensors or PyTorch file", "inspect", "README.md")]
    [InlineData("no published size has that name; known are ViT-B/32, ", "inspect", "--plan", "ViT-Z/99")]
    [InlineData("--plan NAME, not both", "inspect", "fashion-clip", "--plan", "RN50")]
    [InlineData("--batch: belongs to --plan", "inspect", "fashion-clip", "--batch", "2")]
    [InlineData("batch: expected 1 to 4096, found 30000000", "inspect", "--plan", "ViT-B/32", "--batch", "30000000")]
    [InlineData("batch: expected 1 to 4096, found 0", "inspect", "--plan", "RN50", "--batch", "0")]
    [InlineData("option --jsn is unknown", "inspect", "--jsn")]
    [InlineData("tests/golden.json: expected a golden case, found nothing", "verify", "tests")]
    [InlineData("option --sumary is unknown", "verify", "tests/fixtures/clip/clip-vit-a", "--sumary")]
    [InlineData("device reference: the doctor looks at the cpu", "doctor", "--device", "reference")]
    public void Every_command_says_what_is_wrong(string message, params string[] args) => Failed(Vlm.Run(args), message);

    [Fact]
    public void A_tier_that_the_runtime_lacks_is_refused()
    {
        var run = Vlm.Run(Samples.Classify(["scene-3.png"], "--isa", "avx2"), [("DOTNET_EnableAVX2", "0")]);
        Failed(run, "avx2");
        Assert.Contains("not available", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_that_does_not_fit_names_the_file_and_every_key()
    {
        using var folder = new TemporaryFolder("models/fashion-clip");
        string weights = folder["model.safetensors"];
        byte[] bytes = File.ReadAllBytes(weights);
        // Same length: the header stays valid, one tensor is missing and another stays unused.
        int name = bytes.AsSpan().IndexOf("text_model.final_layer_norm.bias"u8);
        bytes[name + "text_model.final_layer_norm.".Length] = (byte)'X';
        File.WriteAllBytes(weights, bytes);
        string config = File.ReadAllText(folder["config.json"]);
        Assert.Contains("\"intermediate_size\": 512", config, StringComparison.Ordinal);
        folder.Write("config.json", config.Replace("\"intermediate_size\": 512", "\"intermediate_size\": 500", StringComparison.Ordinal));
        var run = Vlm.Run(Samples.Classify(["scene-3.png"], "--model", folder.Path));
        Failed(run, $"{weights} does not fit ");
        Assert.Matches(@"missing +text_model\.final_layer_norm\.bias", run.Error);
        Assert.Matches(@"unused +text_model\.final_layer_norm\.Xias", run.Error);
        Assert.Matches(@"shape +vision_model\.encoder\.layers\.0\.mlp\.fc1\.weight +expected \[500, 128\], found \[512, 128\]", run.Error);
    }

    [Fact]
    public void A_truncated_checkpoint_names_the_file_and_the_tensor()
    {
        using var folder = new TemporaryFolder("models/fashion-clip");
        using (var file = File.OpenWrite(folder["model.safetensors"])) file.SetLength(1_000_000);
        var run = Vlm.Run("inspect", folder.Path);
        Failed(run, $"{folder["model.safetensors"]}: '");
        Assert.Contains("expected an end within the", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Hostile_pictures_are_refused_or_answered_but_never_end_the_command()
    {
        string[] pictures = [.. Directory.EnumerateFiles(Path.Combine(VlmKernels.Testing.Fixtures.Repository, "tests/data/edge-cases"), "*", SearchOption.AllDirectories)];
        var run = Vlm.Run(["classify", .. pictures, "--labels", "bag", "shoe", "--json"]);
        string[] refused = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(pictures.Length, run.JsonLines.Length + refused.Length);
        Assert.All(refused, line => Assert.StartsWith("vlm: ", line, StringComparison.Ordinal));
    }

    private static void Failed(Outcome run, string message)
    {
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("vlm: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", run.Error, StringComparison.Ordinal);
    }
}
