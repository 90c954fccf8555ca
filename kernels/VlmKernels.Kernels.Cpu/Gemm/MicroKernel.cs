using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// The innermost product: a tile of R rows by two vectors. Every element starts from zero (or from an earlier sum) and adds fma(a, b) over k upwards,
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
    /// <param name="a">The left operand, ordered as <typeparamref name="A"/> says.</param>
    /// <param name="b">k rows of two vectors, <paramref name="strideB"/> floats apart.</param>
    /// <param name="strideB">Floats from one row of b to the next.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="start">What the sums start from: [rows] of two vectors, <paramref name="ldStart"/> floats apart; null: zero.</param>
    /// <param name="ldStart">Floats from one row of <paramref name="start"/> to the next.</param>
    /// <param name="end">Receives the sums.</param>
    /// <param name="ahead">What the caller will need next: fetched into the second-level cache meanwhile. Any address; never read. An unmapped one costs time.</param>
    /// <param name="aheadStep">Bytes of <paramref name="ahead"/> per step of k.</param>
    public static void Run<S, V, A>(int rows, float* a, float* b, nint strideB, nint k, float* start, nint ldStart, in TileEnd end, void* ahead = null, nint aheadStep = 0)
        where S : struct, ISimd<V> where V : struct where A : struct, ILeftOrder
    {
        switch (rows)
        {
            case 1: Tile<S, V, A, Rows1>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 2: Tile<S, V, A, Rows2>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 3: Tile<S, V, A, Rows3>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 4: Tile<S, V, A, Rows4>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 5: Tile<S, V, A, Rows5>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 6: Tile<S, V, A, Rows6>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 7: Tile<S, V, A, Rows7>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 8: Tile<S, V, A, Rows8>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 9: Tile<S, V, A, Rows9>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 10: Tile<S, V, A, Rows10>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 11: Tile<S, V, A, Rows11>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
            case 12: Tile<S, V, A, Rows12>(a, b, strideB, k, start, ldStart, end, (byte*)ahead, aheadStep); break;
        }
    }

    // Rows beyond R.Count fold away. Nothing is called in the loop and nothing spills: see docs/adding-a-kernel.md for how to check.
    private static void Tile<S, V, A, R>(float* a, float* b, nint strideB, nint k, float* start, nint ldStart, in TileEnd end, byte* ahead, nint aheadStep)
        where S : struct, ISimd<V> where V : struct where A : struct, ILeftOrder where R : struct, IRowCount
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
        if (start is not null)
        {
            c0a = S.Load(start); c0b = S.Load(start + S.Width);
            if (R.Count > 1) { start += ldStart; c1a = S.Load(start); c1b = S.Load(start + S.Width); }
            if (R.Count > 2) { start += ldStart; c2a = S.Load(start); c2b = S.Load(start + S.Width); }
            if (R.Count > 3) { start += ldStart; c3a = S.Load(start); c3b = S.Load(start + S.Width); }
            if (R.Count > 4) { start += ldStart; c4a = S.Load(start); c4b = S.Load(start + S.Width); }
            if (R.Count > 5) { start += ldStart; c5a = S.Load(start); c5b = S.Load(start + S.Width); }
            if (R.Count > 6) { start += ldStart; c6a = S.Load(start); c6b = S.Load(start + S.Width); }
            if (R.Count > 7) { start += ldStart; c7a = S.Load(start); c7b = S.Load(start + S.Width); }
            if (R.Count > 8) { start += ldStart; c8a = S.Load(start); c8b = S.Load(start + S.Width); }
            if (R.Count > 9) { start += ldStart; c9a = S.Load(start); c9b = S.Load(start + S.Width); }
            if (R.Count > 10) { start += ldStart; c10a = S.Load(start); c10b = S.Load(start + S.Width); }
            if (R.Count > 11) { start += ldStart; c11a = S.Load(start); c11b = S.Load(start + S.Width); }
        }
        for (; k > 0; k--)
        {
            V b0 = S.Load(b), b1 = S.Load(b + S.Width), x;
            x = S.Broadcast(a[0]); c0a = S.Fma(x, b0, c0a); c0b = S.Fma(x, b1, c0b);
            if (R.Count > 1) { x = S.Broadcast(a[1 * A.RowStride]); c1a = S.Fma(x, b0, c1a); c1b = S.Fma(x, b1, c1b); }
            if (R.Count > 2) { x = S.Broadcast(a[2 * A.RowStride]); c2a = S.Fma(x, b0, c2a); c2b = S.Fma(x, b1, c2b); }
            if (R.Count > 3) { x = S.Broadcast(a[3 * A.RowStride]); c3a = S.Fma(x, b0, c3a); c3b = S.Fma(x, b1, c3b); }
            if (R.Count > 4) { x = S.Broadcast(a[4 * A.RowStride]); c4a = S.Fma(x, b0, c4a); c4b = S.Fma(x, b1, c4b); }
            if (R.Count > 5) { x = S.Broadcast(a[5 * A.RowStride]); c5a = S.Fma(x, b0, c5a); c5b = S.Fma(x, b1, c5b); }
            if (R.Count > 6) { x = S.Broadcast(a[6 * A.RowStride]); c6a = S.Fma(x, b0, c6a); c6b = S.Fma(x, b1, c6b); }
            if (R.Count > 7) { x = S.Broadcast(a[7 * A.RowStride]); c7a = S.Fma(x, b0, c7a); c7b = S.Fma(x, b1, c7b); }
            if (R.Count > 8) { x = S.Broadcast(a[8 * A.RowStride]); c8a = S.Fma(x, b0, c8a); c8b = S.Fma(x, b1, c8b); }
            if (R.Count > 9) { x = S.Broadcast(a[9 * A.RowStride]); c9a = S.Fma(x, b0, c9a); c9b = S.Fma(x, b1, c9b); }
            if (R.Count > 10) { x = S.Broadcast(a[10 * A.RowStride]); c10a = S.Fma(x, b0, c10a); c10b = S.Fma(x, b1, c10b); }
            if (R.Count > 11) { x = S.Broadcast(a[11 * A.RowStride]); c11a = S.Fma(x, b0, c11a); c11b = S.Fma(x, b1, c11b); }
            S.Prefetch(ahead);
            // With few rows a step takes less time than two lines of b need from memory; the widest tier's step is that long.
            if (R.Count <= 8 && S.Width == 16) S.Prefetch(ahead + CacheLine);
            ahead += aheadStep;
            a += A.StepStride(R.Count);
            b += strideB;
        }
        if (end.Bias is not null)
        {
            V left = S.Load(end.Bias), right = S.Load(end.Bias + S.Width);
            c0a = S.Add(c0a, left); c0b = S.Add(c0b, right);
            if (R.Count > 1) { c1a = S.Add(c1a, left); c1b = S.Add(c1b, right); }
            if (R.Count > 2) { c2a = S.Add(c2a, left); c2b = S.Add(c2b, right); }
            if (R.Count > 3) { c3a = S.Add(c3a, left); c3b = S.Add(c3b, right); }
            if (R.Count > 4) { c4a = S.Add(c4a, left); c4b = S.Add(c4b, right); }
            if (R.Count > 5) { c5a = S.Add(c5a, left); c5b = S.Add(c5b, right); }
            if (R.Count > 6) { c6a = S.Add(c6a, left); c6b = S.Add(c6b, right); }
            if (R.Count > 7) { c7a = S.Add(c7a, left); c7b = S.Add(c7b, right); }
            if (R.Count > 8) { c8a = S.Add(c8a, left); c8b = S.Add(c8b, right); }
            if (R.Count > 9) { c9a = S.Add(c9a, left); c9b = S.Add(c9b, right); }
            if (R.Count > 10) { c10a = S.Add(c10a, left); c10b = S.Add(c10b, right); }
            if (R.Count > 11) { c11a = S.Add(c11a, left); c11b = S.Add(c11b, right); }
        }
        if (end.Residual is not null)
        {
            float* add = end.Residual;
            nint pitch = end.LdResidual;
            c0a = S.Add(c0a, S.Load(add)); c0b = S.Add(c0b, S.Load(add + S.Width));
            if (R.Count > 1) { add += pitch; c1a = S.Add(c1a, S.Load(add)); c1b = S.Add(c1b, S.Load(add + S.Width)); }
            if (R.Count > 2) { add += pitch; c2a = S.Add(c2a, S.Load(add)); c2b = S.Add(c2b, S.Load(add + S.Width)); }
            if (R.Count > 3) { add += pitch; c3a = S.Add(c3a, S.Load(add)); c3b = S.Add(c3b, S.Load(add + S.Width)); }
            if (R.Count > 4) { add += pitch; c4a = S.Add(c4a, S.Load(add)); c4b = S.Add(c4b, S.Load(add + S.Width)); }
            if (R.Count > 5) { add += pitch; c5a = S.Add(c5a, S.Load(add)); c5b = S.Add(c5b, S.Load(add + S.Width)); }
            if (R.Count > 6) { add += pitch; c6a = S.Add(c6a, S.Load(add)); c6b = S.Add(c6b, S.Load(add + S.Width)); }
            if (R.Count > 7) { add += pitch; c7a = S.Add(c7a, S.Load(add)); c7b = S.Add(c7b, S.Load(add + S.Width)); }
            if (R.Count > 8) { add += pitch; c8a = S.Add(c8a, S.Load(add)); c8b = S.Add(c8b, S.Load(add + S.Width)); }
            if (R.Count > 9) { add += pitch; c9a = S.Add(c9a, S.Load(add)); c9b = S.Add(c9b, S.Load(add + S.Width)); }
            if (R.Count > 10) { add += pitch; c10a = S.Add(c10a, S.Load(add)); c10b = S.Add(c10b, S.Load(add + S.Width)); }
            if (R.Count > 11) { add += pitch; c11a = S.Add(c11a, S.Load(add)); c11b = S.Add(c11b, S.Load(add + S.Width)); }
        }
        float* to = end.C;
        nint ldc = end.LdC;
        S.Store(to, c0a); S.Store(to + S.Width, c0b);
        if (R.Count > 1) { to += ldc; S.Store(to, c1a); S.Store(to + S.Width, c1b); }
        if (R.Count > 2) { to += ldc; S.Store(to, c2a); S.Store(to + S.Width, c2b); }
        if (R.Count > 3) { to += ldc; S.Store(to, c3a); S.Store(to + S.Width, c3b); }
        if (R.Count > 4) { to += ldc; S.Store(to, c4a); S.Store(to + S.Width, c4b); }
        if (R.Count > 5) { to += ldc; S.Store(to, c5a); S.Store(to + S.Width, c5b); }
        if (R.Count > 6) { to += ldc; S.Store(to, c6a); S.Store(to + S.Width, c6b); }
        if (R.Count > 7) { to += ldc; S.Store(to, c7a); S.Store(to + S.Width, c7b); }
        if (R.Count > 8) { to += ldc; S.Store(to, c8a); S.Store(to + S.Width, c8b); }
        if (R.Count > 9) { to += ldc; S.Store(to, c9a); S.Store(to + S.Width, c9b); }
        if (R.Count > 10) { to += ldc; S.Store(to, c10a); S.Store(to + S.Width, c10b); }
        if (R.Count > 11) { to += ldc; S.Store(to, c11a); S.Store(to + S.Width, c11b); }
    }
}
