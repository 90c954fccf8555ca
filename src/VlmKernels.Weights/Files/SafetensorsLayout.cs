namespace VlmKernels.Weights;

/// <summary>The rule that tensors cover a safetensors file's data exactly: in order of their offsets each begins where the last one ended.</summary>
internal static class SafetensorsLayout
{
    /// <exception cref="WeightFileException">Two tensors overlap, or some bytes belong to none, or the file ends too early.</exception>
    public static void Check(string file, IReadOnlyList<HeaderEntry> entries, long dataLength)
    {
        HeaderEntry[] ordered = [.. entries];
        // Empty tensors share an offset with their successor, so the end decides among equals.
        Array.Sort(ordered, static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long covered = 0;
        string before = "the header";
        foreach (HeaderEntry entry in ordered)
        {
            if (entry.End > dataLength) throw new WeightFileException(file, entry.Name, $"an end within the {dataLength} bytes of data", $"{entry.End}");
            if (entry.Begin != covered)
            {
                string found = entry.Begin < covered ? $"{entry.Begin}, an overlap" : $"{entry.Begin}, a hole";
                throw new WeightFileException(file, entry.Name, $"a start at byte {covered}, where {before} ends", found);
            }
            covered = entry.End;
            before = WeightFileException.Quote(entry.Name);
        }
        if (covered != dataLength) throw new WeightFileException(file, null, $"the file to end with {before} after {covered} bytes of data", $"{dataLength} bytes");
    }
}
