using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Inner products of queries with a block of stored rows. An element is one vector of partial sums, added from the first column on, then summed
/// as a tree: how many rows and queries go together changes nothing in it.
/// </summary>
internal static unsafe class InnerProductKernel<S, V, R> where S : struct, ISimd<V> where V : struct where R : struct, IStoredRows<V>
{
    // Beyond what the processor fetches ahead by itself, which ends at each page.
    private const int Ahead = 2048;

    /// <summary>Scores of rows <paramref name="first"/> up to, not including, <paramref name="end"/> for all queries.</summary>
    public static void Run(in InnerProductOperands o, int first, int end)
    {
        int q = 0;
        for (; q <= o.Queries - 2; q += 2) Pair(o, q, first, end);
        if (q < o.Queries) Single(o, q, first, end);
    }

    private static void Pair(in InnerProductOperands o, int query, int first, int end)
    {
        float* x = o.X + (query * o.PitchX), y = o.Y + (query * o.PitchY);
        int r = first;
        for (; r <= end - 4; r += 4) FourByTwo(x, o.PitchX, o.Rows + (r * o.PitchRows), o.PitchRows, o.Columns, y + r, o.PitchY);
        for (; r < end; r++)
        {
            y[r] = One(x, o.Rows + (r * o.PitchRows), o.Columns);
            y[o.PitchY + r] = One(x + o.PitchX, o.Rows + (r * o.PitchRows), o.Columns);
        }
    }

    private static void Single(in InnerProductOperands o, int query, int first, int end)
    {
        float* x = o.X + (query * o.PitchX), y = o.Y + (query * o.PitchY);
        int r = first;
        for (; r <= end - 4; r += 4) Four(x, o.Rows + (r * o.PitchRows), o.PitchRows, o.Columns, y + r);
        for (; r < end; r++) y[r] = One(x, o.Rows + (r * o.PitchRows), o.Columns);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void FourByTwo(float* x, nint pitchX, byte* row, nint pitch, int columns, float* y, nint pitchY)
    {
        V a0 = S.Zero, b0 = S.Zero, c0 = S.Zero, d0 = S.Zero, a1 = S.Zero, b1 = S.Zero, c1 = S.Zero, d1 = S.Zero;
        byte* p = row;
        int k = 0;
        for (; k <= columns - S.Width; k += S.Width, p += S.Width * R.Size)
        {
            V x0 = S.Load(x + k), x1 = S.Load(x + pitchX + k);
            V a = R.Load(p), b = R.Load(p + pitch);
            (a0, a1) = (S.Fma(x0, a, a0), S.Fma(x1, a, a1));
            (b0, b1) = (S.Fma(x0, b, b0), S.Fma(x1, b, b1));
            V c = R.Load(p + (2 * pitch)), d = R.Load(p + (3 * pitch));
            (c0, c1) = (S.Fma(x0, c, c0), S.Fma(x1, c, c1));
            (d0, d1) = (S.Fma(x0, d, d0), S.Fma(x1, d, d1));
        }
        int tail = columns - k;
        if (tail > 0)
        {
            V x0 = S.LoadFirst(x + k, tail), x1 = S.LoadFirst(x + pitchX + k, tail);
            V a = R.LoadFirst(p, tail), b = R.LoadFirst(p + pitch, tail), c = R.LoadFirst(p + (2 * pitch), tail), d = R.LoadFirst(p + (3 * pitch), tail);
            (a0, a1) = (S.Fma(x0, a, a0), S.Fma(x1, a, a1));
            (b0, b1) = (S.Fma(x0, b, b0), S.Fma(x1, b, b1));
            (c0, c1) = (S.Fma(x0, c, c0), S.Fma(x1, c, c1));
            (d0, d1) = (S.Fma(x0, d, d0), S.Fma(x1, d, d1));
        }
        (y[0], y[1], y[2], y[3]) = (S.Sum(a0), S.Sum(b0), S.Sum(c0), S.Sum(d0));
        y += pitchY;
        (y[0], y[1], y[2], y[3]) = (S.Sum(a1), S.Sum(b1), S.Sum(c1), S.Sum(d1));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Four(float* x, byte* row, nint pitch, int columns, float* y)
    {
        V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
        byte* p = row;
        int k = 0;
        for (; k <= columns - S.Width; k += S.Width, p += S.Width * R.Size)
        {
            V v = S.Load(x + k);
            a = S.Fma(v, R.Load(p), a);
            b = S.Fma(v, R.Load(p + pitch), b);
            c = S.Fma(v, R.Load(p + (2 * pitch)), c);
            d = S.Fma(v, R.Load(p + (3 * pitch)), d);
        }
        int tail = columns - k;
        if (tail > 0)
        {
            V v = S.LoadFirst(x + k, tail);
            a = S.Fma(v, R.LoadFirst(p, tail), a);
            b = S.Fma(v, R.LoadFirst(p + pitch, tail), b);
            c = S.Fma(v, R.LoadFirst(p + (2 * pitch), tail), c);
            d = S.Fma(v, R.LoadFirst(p + (3 * pitch), tail), d);
        }
        (y[0], y[1], y[2], y[3]) = (S.Sum(a), S.Sum(b), S.Sum(c), S.Sum(d));
    }

    private static float One(float* x, byte* row, int columns)
    {
        V sum = S.Zero;
        int k = 0;
        for (; k <= columns - S.Width; k += S.Width) sum = S.Fma(S.Load(x + k), R.Load(row + (k * R.Size)), sum);
        if (k < columns) sum = S.Fma(S.LoadFirst(x + k, columns - k), R.LoadFirst(row + (k * R.Size), columns - k), sum);
        return S.Sum(sum);
    }
}
