using System.Diagnostics;
using VlmKernels.Kernels;
using VlmKernels.Testing;

namespace VlmKernels.Perf;

/// <summary>The native program from its start to its end: it loads the shipped model and captions a shipped picture.</summary>
/// <param name="Program">The launcher, as published.</param>
internal sealed record CaptionCommandCase(string Program) : PerfCase("blip-fashion-caption-command", 1)
{
    private const string Published = "VLMKERNELS_PUBLISHED", Picture = "models/samples/scene-3.png";

    /// <summary>One case where the program was published to artifacts/vlm or the folder in VLMKERNELS_PUBLISHED; else none.</summary>
    public static IEnumerable<CaptionCommandCase> All
    {
        get
        {
            string folder = Environment.GetEnvironmentVariable(Published) is { Length: > 0 } named ? named : Path.Combine(Fixtures.Repository, "artifacts", "vlm");
            string program = Path.Combine(folder, OperatingSystem.IsWindows() ? "vlm.exe" : "vlm");
            return File.Exists(program) ? [new CaptionCommandCase(program)] : [];
        }
    }

    /// <inheritdoc/>
    public override double Seconds => 8;

    /// <inheritdoc/>
    public override PreparedCase Prepare(IBackend backend, int threads) => new(() => Caption(threads), default);

    private void Caption(int threads)
    {
        using var process = Process.Start(new ProcessStartInfo(Program, ["caption", Picture, "--threads", $"{threads}"])
        {
            WorkingDirectory = Fixtures.Repository,
            RedirectStandardOutput = true,
        })!;
        string text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{Program} caption {Picture}: exit code {process.ExitCode}, {text}");
    }
}
