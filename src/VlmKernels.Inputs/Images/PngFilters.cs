using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

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
        int i = 0;
        for (; i + Vector<byte>.Count <= row.Length; i += Vector<byte>.Count) (new Vector<byte>(row[i..]) + new Vector<byte>(above[i..])).CopyTo(row[i..]);
        for (; i < row.Length; i++) row[i] += above[i];
    }

    private static void Average(Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        int first = Math.Min(step, row.Length);
        for (int i = 0; i < first; i++) row[i] += (byte)(above[i] / 2);
        for (int i = first; i < row.Length; i++) row[i] += (byte)((row[i - step] + above[i]) / 2);
    }

    private static void Paeth(Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        // Left of the picture is 0, which makes the row above the best guess.
        int first = Math.Min(step, row.Length);
        for (int i = 0; i < first; i++) row[i] += above[i];
        int done = step is 3 or 4 && Vector128.IsHardwareAccelerated ? PaethPixels(row, above, step) : first;
        for (int i = done; i < row.Length; i++)
        {
            int left = row[i - step], up = above[i], corner = above[i - step];
            int fromLeft = Math.Abs(up - corner), fromUp = Math.Abs(left - corner), fromCorner = Math.Abs(left + up - 2 * corner);
            row[i] += (byte)(fromLeft <= fromUp && fromLeft <= fromCorner ? left : fromUp <= fromCorner ? up : corner);
        }
    }

    // A pixel at a time without branches, which guesses of photos make unpredictable. Four bytes are read and written whatever the step:
    // the fourth of three is written back as it was. Returns how many bytes are done.
    private static int PaethPixels(Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        int i = step;
        if (row.Length < step + 4) return Math.Min(step, row.Length);
        Vector128<short> left = Load(row), corner = Load(above), kept = step == 3 ? Vector128.Create(0, 0, 0, 255, 0, 0, 0, 0) : Vector128<short>.Zero;
        for (; i + 4 <= row.Length; i += step)
        {
            Vector128<short> up = Load(above[i..]), fromLeft = up - corner, fromUp = left - corner, fromCorner = Vector128.Abs(fromLeft + fromUp);
            (fromLeft, fromUp) = (Vector128.Abs(fromLeft), Vector128.Abs(fromUp));
            Vector128<short> least = Vector128.Min(Vector128.Min(fromLeft, fromUp), fromCorner);
            Vector128<short> guess = Vector128.ConditionalSelect(Vector128.Equals(least, fromLeft), left, Vector128.ConditionalSelect(Vector128.Equals(least, fromUp), up, corner));
            left = (Load(row[i..]) + Vector128.AndNot(guess, kept)) & Vector128.Create((short)255);
            MemoryMarshal.Write(row[i..], Vector128.Narrow(left.AsUInt16(), left.AsUInt16()).AsUInt32().ToScalar());
            corner = up;
        }
        return i;
    }

    private static Vector128<short> Load(ReadOnlySpan<byte> pixel) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(MemoryMarshal.Read<uint>(pixel)).AsByte()).AsInt16();
}
