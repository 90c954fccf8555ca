using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>The binaries compiled ahead of time do what the assembly does. VLMKERNELS_PUBLISHED names the folder they were published to.</summary>
public class NativeTests
{
    private const long LargestBinary = 25_000_000;

    [Fact]
    public void The_binary_uses_the_instructions_that_the_assembly_uses()
    {
        var report = Run("doctor", "--json").Json;
        Assert.True(report.GetProperty("native_code").GetBoolean());
        Assert.Equal(DoctorTests.AvailableIsas[^1], report.GetProperty("isa").GetString());
        Assert.Equal(DoctorTests.AvailableIsas, report.GetProperty("available_isas").EnumerateArray().Select(i => i.GetString()!));
    }

    [Theory]
    [InlineData("avx512")]
    [InlineData("avx2")]
    [InlineData("vector128")]
    public void The_binary_answers_as_the_reference_implementation_does(string isa)
    {
        string folder = Published();
        if (!DoctorTests.AvailableIsas.Contains(isa)) Assert.Skip($"{isa} is not available here");
        var run = Vlm.Start(Path.Combine(folder, "vlm"), Samples.Classify(["scene-3.png", "scene-6.png"], "--isa", isa));
        Assert.True(run.ExitCode == 0, run.ToString());
        Samples.Check(run.JsonLines[0], "scene-3.png");
        Samples.Check(run.JsonLines[1], "scene-6.png");
    }

    [Theory]
    [InlineData("caption", "models/samples", "--json")]
    [InlineData("ask", "models/samples/scene-3.png", "what color is the sneaker?")]
    [InlineData("match", "models/samples/scene-3.png", "a purple sneaker")]
    [InlineData("verify", "tests/fixtures/clip/clip-vit-b", "--json")]
    [InlineData("inspect", "fashion-clip")]
    [InlineData("inspect", "--plan", "ViT-L/14")]
    [InlineData("classify", "nowhere.png", "--labels", "bag")]
    [InlineData("classify", "models/samples/scene-3.png", "--labels", "bag", "--model", "nothing")]
    public void The_binary_prints_what_the_assembly_prints(params string[] args) => Assert.Equal(Vlm.Run(args), Run(args));

    [Theory]
    [InlineData("v2")]
    [InlineData("v3")]
    [InlineData("v4")]
    public void Each_binary_is_small(string level) => Assert.InRange(new FileInfo(Path.Combine(Published(), $"vlm-{level}")).Length, 1, LargestBinary);

    private static Outcome Run(params string[] args) => Vlm.Start(Path.Combine(Published(), "vlm"), args);

    private static string Published()
    {
        string? folder = Environment.GetEnvironmentVariable("VLMKERNELS_PUBLISHED");
        if (string.IsNullOrEmpty(folder)) Assert.Skip("VLMKERNELS_PUBLISHED does not name a folder of published binaries");
        return folder;
    }
}
