namespace VlmKernels.Inputs;

/// <summary>The five row filters of PNG, undone in place.</summary>
internal static class PngFilters
{
    /// <param name="filter">The row's filter, 0 to 4.</param>
    /// <param name="row">Filtered bytes, replaced.</param>
    /// <param name="above">The row above, already undone; zeros for the first.</param>
    /// <param name="step">Bytes of a pixel, at least 1.</param>
    /// <param name="name">What error messages call the file.</param>
    public static void Undo(int filter, Span<byte> row, ReadOnlySpan<byte> above, int step, string name)
    {
        switch (filter)
        {
            case 0: break;
            case 1: Left(row, step); break;
            case 2: Up(row, above); break;
            case 3: Average(row, above, step); break;
            case 4: Paeth(row, above, step); break;
            default: throw new ImageFormatException(name, $"unknown PNG row filter {filter}");
        }
    }

    private static void Left(Span<byte> row, int step)
    {
        for (int i = step; i < row.Length; i++) row[i] += row[i - step];
    }

    private static void Up(Span<byte> row, ReadOnlySpan<byte> above)
    {
        for (int i = 0; i < row.Length; i++) row[i] += above[i];
    }

    private static void Average(Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        for (int i = 0; i < row.Length; i++) row[i] += (byte)(((i >= step ? row[i - step] : 0) + above[i]) / 2);
    }

    private static void Paeth(Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        // Left of the picture is 0, which makes the row above the best guess.
        int first = Math.Min(step, row.Length);
        for (int i = 0; i < first; i++) row[i] += above[i];
        for (int i = first; i < row.Length; i++)
        {
            int left = row[i - step], up = above[i], corner = above[i - step];
            int fromLeft = Math.Abs(up - corner), fromUp = Math.Abs(left - corner), fromCorner = Math.Abs(left + up - 2 * corner);
            row[i] += (byte)(fromLeft <= fromUp && fromLeft <= fromCorner ? left : fromUp <= fromCorner ? up : corner);
        }
    }
}
