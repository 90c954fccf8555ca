using VlmKernels.Testing.OpTable;

namespace VlmKernels.Perf;

/// <summary>Everything that can be timed.</summary>
internal static class PerfCases
{
    /// <summary>Models, then their parts, then the rows of the op table.</summary>
    public static IEnumerable<PerfCase> All => [.. ClipCase.All, .. BlipCase.All, .. CaptionCommandCase.All, .. DecodeCase.All, .. Table.All.Where(c => !c.Tiny).Select(c => new OpPerfCase(c))];

    /// <summary>Cases with this in their name.</summary>
    public static IEnumerable<PerfCase> Find(string part) => All.Where(c => c.Name.Contains(part, StringComparison.OrdinalIgnoreCase));
}
