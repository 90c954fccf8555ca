using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Inner products of queries with stored rows. An element is one vector of partial sums, added from the first column on, then summed as a tree:
/// how many rows and queries go together changes nothing in it. Rows go by fours, so that loads from four streams are under way at once.
/// </summary>
internal static unsafe class InnerProductKernel<S, V, R> where S : struct, ISimd<V> where V : struct where R : struct, IStoredRows<V>
{
    private const int RowsAtOnce = 4;

    /// <summary>Scores of stored rows <paramref name="first"/> up to, not including, <paramref name="end"/> for all queries.</summary>
    public static void Run(in InnerProductOperands o, int first, int end)
    {
        byte* ends = stackalloc byte[RowsAtOnce * S.Width * R.Size];
        new Span<byte>(ends, RowsAtOnce * S.Width * R.Size).Clear();
        int r = first;
        for (; r <= end - RowsAtOnce; r += RowsAtOnce) Rows(o, r, RowsAtOnce, ends);
        for (; r < end; r++) Rows(o, r, 1, ends);
    }

    /// <summary>Columns beyond the last whole vector go to scratch, zeros behind them: the rest of a vector in place belongs to the next row or nobody.</summary>
    private static void Rows(in InnerProductOperands o, nint first, int count, byte* ends)
    {
        byte* rows = o.Rows + (first * o.PitchRows);
        int whole = o.Columns / S.Width * S.Width, rest = (o.Columns - whole) * R.Size;
        for (int i = 0; rest > 0 && i < count; i++) Unsafe.CopyBlockUnaligned(ends + (i * S.Width * R.Size), rows + (i * o.PitchRows) + (whole * R.Size), (uint)rest);
        if (rest == 0) ends = null;
        float* y = o.Y + first;
        int q = 0;
        for (; count == RowsAtOnce && q <= o.Queries - 2; q += 2) FourByTwo(o.X + (q * o.PitchX), o.PitchX, rows, o.PitchRows, whole, ends, y + (q * o.PitchY), o.PitchY);
        for (; q < o.Queries; q++)
        {
            if (count == RowsAtOnce) Four(o.X + (q * o.PitchX), rows, o.PitchRows, whole, ends, y + (q * o.PitchY));
            else y[q * o.PitchY] = One(o.X + (q * o.PitchX), rows, whole, ends);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FourByTwo(float* x, nint pitchX, byte* p, nint pitch, int whole, byte* ends, float* y, nint pitchY)
    {
        V a0 = S.Zero, b0 = S.Zero, c0 = S.Zero, d0 = S.Zero, a1 = S.Zero, b1 = S.Zero, c1 = S.Zero, d1 = S.Zero;
        while (true)
        {
            for (float* end = x + whole; x < end; x += S.Width, p += S.Width * R.Size)
            {
                V x0 = S.Load(x), x1 = S.Load(x + pitchX);
                V row = R.Load(p);
                (a0, a1) = (S.Fma(x0, row, a0), S.Fma(x1, row, a1));
                row = R.Load(p + pitch);
                (b0, b1) = (S.Fma(x0, row, b0), S.Fma(x1, row, b1));
                row = R.Load(p + (2 * pitch));
                (c0, c1) = (S.Fma(x0, row, c0), S.Fma(x1, row, c1));
                row = R.Load(p + (3 * pitch));
                (d0, d1) = (S.Fma(x0, row, d0), S.Fma(x1, row, d1));
            }
            if (ends is null) break;
            p = ends;
            ends = null;
            pitch = S.Width * R.Size;
            whole = S.Width;
        }
        (y[0], y[1], y[2], y[3]) = (S.Sum(a0), S.Sum(b0), S.Sum(c0), S.Sum(d0));
        y += pitchY;
        (y[0], y[1], y[2], y[3]) = (S.Sum(a1), S.Sum(b1), S.Sum(c1), S.Sum(d1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Four(float* x, byte* p, nint pitch, int whole, byte* ends, float* y)
    {
        V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
        while (true)
        {
            for (float* end = x + whole; x < end; x += S.Width, p += S.Width * R.Size)
            {
                V v = S.Load(x);
                a = S.Fma(v, R.Load(p), a);
                b = S.Fma(v, R.Load(p + pitch), b);
                c = S.Fma(v, R.Load(p + (2 * pitch)), c);
                d = S.Fma(v, R.Load(p + (3 * pitch)), d);
            }
            if (ends is null) break;
            p = ends;
            ends = null;
            pitch = S.Width * R.Size;
            whole = S.Width;
        }
        (y[0], y[1], y[2], y[3]) = (S.Sum(a), S.Sum(b), S.Sum(c), S.Sum(d));
    }

    private static float One(float* x, byte* p, int whole, byte* ends)
    {
        V sum = S.Zero;
        for (int k = 0; k < whole; k += S.Width) sum = S.Fma(S.Load(x + k), R.Load(p + (k * R.Size)), sum);
        if (ends is not null) sum = S.Fma(S.Load(x + whole), R.Load(ends), sum);
        return S.Sum(sum);
    }
}
