using VlmKernels.Cli.Tests;

namespace VlmKernels.Convert.Tests;

/// <summary>Runs <c>vlm-convert</c> as a process.</summary>
internal static class ConvertTool
{
    public static string Assembly { get; } = Vlm.Built("weights-convert", "vlm-convert.dll");

    public static Outcome Run(params string[] args) => Vlm.Start(Vlm.Host, [Assembly, .. args]);
}
