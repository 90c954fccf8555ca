using VlmKernels.Weights;

namespace VlmKernels.Cli;

/// <summary>What is this program's own in <see cref="Terminal"/>.</summary>
internal static partial class Terminal
{
    /// <summary>Name of the command.</summary>
    public const string Program = "vlm-convert";

    /// <summary>True for what files and options cause; anything else is a fault of this program and keeps its stack trace.</summary>
    public static bool IsInputFault(Exception e) => e is WeightFileException or ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException;
}
