using System.Diagnostics;
using System.Text.Json;
using VlmKernels.Testing;

namespace VlmKernels.Cli.Tests;

/// <summary>What a process left behind.</summary>
internal sealed record Outcome(int ExitCode, string Output, string Error)
{
    /// <summary>Standard output as one JSON value.</summary>
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    /// <summary>Standard output as one JSON value per line.</summary>
    public JsonElement[] JsonLines => [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement)];

    public override string ToString() => $"exit code {ExitCode}\n--- output\n{Output}\n--- error\n{Error}";
}

/// <summary>Runs the command as its users do: as a process, from the repository's top folder.</summary>
internal static class Vlm
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>The host that runs assemblies.</summary>
    public static string Host { get; } = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet";

    /// <summary>The configuration of these tests: Release or Debug.</summary>
    public static string Configuration { get; } = Path.GetFileName(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)))!;

    /// <summary>The command, built for the JIT in the configuration of these tests.</summary>
    public static string Assembly { get; } = Built("src/VlmKernels.Cli", "vlm.dll");

    public static Outcome Run(params string[] args) => Run(args, environment: null);

    public static Outcome Run(string[] args, (string Name, string? Value)[]? environment) => Start(Host, [Assembly, .. args], environment);

    /// <summary>An assembly of another project, built in the configuration of these tests.</summary>
    public static string Built(string project, string file)
        => Path.Combine(Fixtures.Repository, project, "bin", Configuration, Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), file);

    /// <summary>Runs a program to its end; one that hangs is killed and fails the test.</summary>
    public static Outcome Start(string program, string[] args, (string Name, string? Value)[]? environment = null)
    {
        using var process = Process.Start(Describe(program, args, environment))!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', args)} took longer than {Patience}");
        }
        return new Outcome(process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
    }

    public static ProcessStartInfo Describe(string program, string[] args, (string Name, string? Value)[]? environment = null)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Fixtures.Repository };
        // What a developer has set for himself must not decide what a test finds.
        start.Environment.Remove("VLMKERNELS_MODELS");
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        return start;
    }
}
