using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Weights;

namespace VlmKernels.Cli;

/// <summary>What is this program's own in <see cref="Terminal"/>.</summary>
internal static partial class Terminal
{
    /// <summary>Name of the command.</summary>
    public const string Program = "vlm";

    /// <summary>
    /// True for what files and options cause; anything else is a fault of this program and keeps its stack trace. The general exceptions are among
    /// them because the libraries document them for options (devices, labels, templates) and for towers that a checkpoint lacks.
    /// </summary>
    public static bool IsInputFault(Exception e) => e is WeightFileException or WeightMismatchException or ConfigFormatException or ImageFormatException or ContractException
        or ModelNotFoundException or ArgumentException or InvalidOperationException or InvalidDataException or JsonException or IOException or UnauthorizedAccessException;
}
