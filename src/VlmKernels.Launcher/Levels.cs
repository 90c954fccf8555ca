namespace VlmKernels.Launcher;

/// <summary>The x86-64 microarchitecture levels of the System V ABI, as far as the command is compiled for them.</summary>
internal static class Levels
{
    // LZCNT ("abm") belongs to v3, too, but some hypervisors leave it out of the list; every processor with AVX2 has it.
    private static readonly string[] V3 = ["avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"];
    private static readonly string[] V4 = [.. V3, "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"];

    /// <summary>The highest level whose instructions the processor and the system offer.</summary>
    /// <param name="flags">Names as Linux lists them.</param>
    public static string Best(IReadOnlySet<string> flags) => V4.All(flags.Contains) ? "v4" : V3.All(flags.Contains) ? "v3" : "v2";

    /// <summary>What Linux says of the first processor; empty where it cannot be read, which means the lowest level.</summary>
    public static IReadOnlySet<string> ProcessorFlags()
    {
        try
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("flags", StringComparison.Ordinal));
            return line is null ? new HashSet<string>() : line.Split(':', 2)[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new HashSet<string>();
        }
    }
}
