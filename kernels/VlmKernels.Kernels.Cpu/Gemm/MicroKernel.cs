using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// The innermost product: a tile of R rows by two vectors. Every element starts from zero (or from c) and adds fma(a, b) over k upwards,
/// whatever the tile's height and the thread: its bits depend on nothing else (on the portable tier also on whether the processor fuses).
/// </summary>
internal static unsafe class MicroKernel
{
    private const int CacheLine = 64;

    /// <summary>Tallest tile: accumulators, two vectors of b and one broadcast must fit the registers (32 with AVX-512, else 16).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int MaxRows<S, V>() where S : struct, ISimd<V> where V : struct => S.Width == 16 ? 12 : 6;

    /// <summary>Runs the tile of <paramref name="rows"/> rows.</summary>
    /// <param name="rows">1 to <see cref="MaxRows"/>.</param>
    /// <param name="a">[k][rows].</param>
    /// <param name="b">k rows of two vectors, <paramref name="strideB"/> floats apart.</param>
    /// <param name="strideB">Floats from one row of b to the next.</param>
    /// <param name="c">[rows] of two vectors, <paramref name="ldc"/> floats apart.</param>
    /// <param name="ldc">Floats from one row of c to the next.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="accumulate">Start from c instead of zero.</param>
    /// <param name="ahead">What the caller will need next: fetched into the second-level cache meanwhile. Any address; never read.</param>
    /// <param name="aheadStep">Bytes of <paramref name="ahead"/> per step of k.</param>
    public static void Run<S, V>(int rows, float* a, float* b, nint strideB, float* c, nint ldc, nint k, bool accumulate, void* ahead = null, nint aheadStep = 0)
        where S : struct, ISimd<V> where V : struct
    {
        switch (rows)
        {
            case 1: Tile<S, V, Rows1>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 2: Tile<S, V, Rows2>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 3: Tile<S, V, Rows3>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 4: Tile<S, V, Rows4>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 5: Tile<S, V, Rows5>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 6: Tile<S, V, Rows6>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 7: Tile<S, V, Rows7>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 8: Tile<S, V, Rows8>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 9: Tile<S, V, Rows9>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 10: Tile<S, V, Rows10>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 11: Tile<S, V, Rows11>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
            case 12: Tile<S, V, Rows12>(a, b, strideB, c, ldc, k, accumulate, (byte*)ahead, aheadStep); break;
        }
    }

    // Rows beyond R.Count fold away. Nothing is called in the loop and nothing spills: see docs/adding-a-kernel.md for how to check.
    private static void Tile<S, V, R>(float* a, float* b, nint strideB, float* c, nint ldc, nint k, bool accumulate, byte* ahead, nint aheadStep)
        where S : struct, ISimd<V> where V : struct where R : struct, IRowCount
    {
        V c0a = S.Zero, c0b = S.Zero;
        V c1a = S.Zero, c1b = S.Zero;
        V c2a = S.Zero, c2b = S.Zero;
        V c3a = S.Zero, c3b = S.Zero;
        V c4a = S.Zero, c4b = S.Zero;
        V c5a = S.Zero, c5b = S.Zero;
        V c6a = S.Zero, c6b = S.Zero;
        V c7a = S.Zero, c7b = S.Zero;
        V c8a = S.Zero, c8b = S.Zero;
        V c9a = S.Zero, c9b = S.Zero;
        V c10a = S.Zero, c10b = S.Zero;
        V c11a = S.Zero, c11b = S.Zero;
        if (accumulate)
        {
            c0a = S.Load(c + (0 * ldc)); c0b = S.Load(c + (0 * ldc) + S.Width);
            if (R.Count > 1) { c1a = S.Load(c + (1 * ldc)); c1b = S.Load(c + (1 * ldc) + S.Width); }
            if (R.Count > 2) { c2a = S.Load(c + (2 * ldc)); c2b = S.Load(c + (2 * ldc) + S.Width); }
            if (R.Count > 3) { c3a = S.Load(c + (3 * ldc)); c3b = S.Load(c + (3 * ldc) + S.Width); }
            if (R.Count > 4) { c4a = S.Load(c + (4 * ldc)); c4b = S.Load(c + (4 * ldc) + S.Width); }
            if (R.Count > 5) { c5a = S.Load(c + (5 * ldc)); c5b = S.Load(c + (5 * ldc) + S.Width); }
            if (R.Count > 6) { c6a = S.Load(c + (6 * ldc)); c6b = S.Load(c + (6 * ldc) + S.Width); }
            if (R.Count > 7) { c7a = S.Load(c + (7 * ldc)); c7b = S.Load(c + (7 * ldc) + S.Width); }
            if (R.Count > 8) { c8a = S.Load(c + (8 * ldc)); c8b = S.Load(c + (8 * ldc) + S.Width); }
            if (R.Count > 9) { c9a = S.Load(c + (9 * ldc)); c9b = S.Load(c + (9 * ldc) + S.Width); }
            if (R.Count > 10) { c10a = S.Load(c + (10 * ldc)); c10b = S.Load(c + (10 * ldc) + S.Width); }
            if (R.Count > 11) { c11a = S.Load(c + (11 * ldc)); c11b = S.Load(c + (11 * ldc) + S.Width); }
        }
        for (; k > 0; k--)
        {
            V b0 = S.Load(b), b1 = S.Load(b + S.Width), x;
            x = S.Broadcast(a[0]); c0a = S.Fma(x, b0, c0a); c0b = S.Fma(x, b1, c0b);
            if (R.Count > 1) { x = S.Broadcast(a[1]); c1a = S.Fma(x, b0, c1a); c1b = S.Fma(x, b1, c1b); }
            if (R.Count > 2) { x = S.Broadcast(a[2]); c2a = S.Fma(x, b0, c2a); c2b = S.Fma(x, b1, c2b); }
            if (R.Count > 3) { x = S.Broadcast(a[3]); c3a = S.Fma(x, b0, c3a); c3b = S.Fma(x, b1, c3b); }
            if (R.Count > 4) { x = S.Broadcast(a[4]); c4a = S.Fma(x, b0, c4a); c4b = S.Fma(x, b1, c4b); }
            if (R.Count > 5) { x = S.Broadcast(a[5]); c5a = S.Fma(x, b0, c5a); c5b = S.Fma(x, b1, c5b); }
            if (R.Count > 6) { x = S.Broadcast(a[6]); c6a = S.Fma(x, b0, c6a); c6b = S.Fma(x, b1, c6b); }
            if (R.Count > 7) { x = S.Broadcast(a[7]); c7a = S.Fma(x, b0, c7a); c7b = S.Fma(x, b1, c7b); }
            if (R.Count > 8) { x = S.Broadcast(a[8]); c8a = S.Fma(x, b0, c8a); c8b = S.Fma(x, b1, c8b); }
            if (R.Count > 9) { x = S.Broadcast(a[9]); c9a = S.Fma(x, b0, c9a); c9b = S.Fma(x, b1, c9b); }
            if (R.Count > 10) { x = S.Broadcast(a[10]); c10a = S.Fma(x, b0, c10a); c10b = S.Fma(x, b1, c10b); }
            if (R.Count > 11) { x = S.Broadcast(a[11]); c11a = S.Fma(x, b0, c11a); c11b = S.Fma(x, b1, c11b); }
            S.Prefetch(ahead);
            // With few rows a step takes less time than two lines of b need from memory; the widest tier's step is that long.
            if (R.Count <= 8 && S.Width == 16) S.Prefetch(ahead + CacheLine);
            ahead += aheadStep;
            a += R.Count;
            b += strideB;
        }
        S.Store(c + (0 * ldc), c0a); S.Store(c + (0 * ldc) + S.Width, c0b);
        if (R.Count > 1) { S.Store(c + (1 * ldc), c1a); S.Store(c + (1 * ldc) + S.Width, c1b); }
        if (R.Count > 2) { S.Store(c + (2 * ldc), c2a); S.Store(c + (2 * ldc) + S.Width, c2b); }
        if (R.Count > 3) { S.Store(c + (3 * ldc), c3a); S.Store(c + (3 * ldc) + S.Width, c3b); }
        if (R.Count > 4) { S.Store(c + (4 * ldc), c4a); S.Store(c + (4 * ldc) + S.Width, c4b); }
        if (R.Count > 5) { S.Store(c + (5 * ldc), c5a); S.Store(c + (5 * ldc) + S.Width, c5b); }
        if (R.Count > 6) { S.Store(c + (6 * ldc), c6a); S.Store(c + (6 * ldc) + S.Width, c6b); }
        if (R.Count > 7) { S.Store(c + (7 * ldc), c7a); S.Store(c + (7 * ldc) + S.Width, c7b); }
        if (R.Count > 8) { S.Store(c + (8 * ldc), c8a); S.Store(c + (8 * ldc) + S.Width, c8b); }
        if (R.Count > 9) { S.Store(c + (9 * ldc), c9a); S.Store(c + (9 * ldc) + S.Width, c9b); }
        if (R.Count > 10) { S.Store(c + (10 * ldc), c10a); S.Store(c + (10 * ldc) + S.Width, c10b); }
        if (R.Count > 11) { S.Store(c + (11 * ldc), c11a); S.Store(c + (11 * ldc) + S.Width, c11b); }
    }
}
