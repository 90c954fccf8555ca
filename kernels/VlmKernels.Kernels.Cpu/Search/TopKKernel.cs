using System.Numerics;
using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// The k best of a row. A candidate is a key that grows with its value and, among equal values, with a lower column, so that the order is total
/// and the result does not depend on how a row is cut. The candidates form a heap with the worst on top.
/// </summary>
internal static unsafe class TopKKernel<S, V> where S : struct, ISimd<V> where V : struct
{
    /// <summary>Keys of the k best of columns <paramref name="first"/> up to, not including, <paramref name="end"/>, at least k of them.</summary>
    public static void Select(float* x, int first, int end, Span<ulong> heap)
    {
        int i = first;
        foreach (ref ulong key in heap) key = TopKHeap.Key(x[i], i++);
        // A sorted list is a heap.
        heap.Sort();
        while (i < end) i = Advance(x, i, end, heap);
    }

    /// <summary>Offers the next column that is above the worst candidate; columns come in rising order, so an equal one is too late.</summary>
    /// <returns>The column behind it, or <paramref name="end"/>.</returns>
    private static int Advance(float* x, int i, int end, Span<ulong> heap)
    {
        float worst = x[TopKHeap.Column(heap[0])];
        if (float.IsNaN(worst)) return end;
        i += Below(x + i, end - i, S.Broadcast(worst));
        if (i < end) TopKHeap.Offer(heap, TopKHeap.Key(x[i], i++));
        return i;
    }

    /// <summary>How many values there are before the first that is above the worst candidate.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Below(float* x, int count, V worst)
    {
        int i = 0;
        for (; i <= count - (4 * S.Width); i += 4 * S.Width)
        {
            uint a = S.AboveMask(S.Load(x + i), worst), b = S.AboveMask(S.Load(x + i + S.Width), worst);
            uint c = S.AboveMask(S.Load(x + i + (2 * S.Width)), worst), d = S.AboveMask(S.Load(x + i + (3 * S.Width)), worst);
            if ((a | b | c | d) == 0) continue;
            ulong above = a | ((ulong)b << S.Width) | ((ulong)c << (2 * S.Width)) | ((ulong)d << (3 * S.Width));
            return i + BitOperations.TrailingZeroCount(above);
        }
        for (; i < count; i += S.Width)
        {
            int lanes = Math.Min(S.Width, count - i);
            uint above = S.AboveMask(S.KeepFirst(S.LoadFirst(x + i, lanes), lanes, worst), worst);
            if (above != 0) return i + BitOperations.TrailingZeroCount(above);
        }
        return count;
    }
}

/// <summary>Candidates as sortable keys, in a heap with the smallest on top.</summary>
internal static class TopKHeap
{
    /// <summary>The value's bits in an order that integers have, above the complement of its column. NaN is the largest, and −0 equals 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Key(float value, int column)
    {
        int bits = BitConverter.SingleToInt32Bits(value + 0f);
        uint order = float.IsNaN(value) ? uint.MaxValue : (uint)(bits ^ ((bits >> 31) & int.MaxValue)) ^ 0x80000000;
        return ((ulong)order << 32) | ~(uint)column;
    }

    /// <summary>The column of a key.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Column(ulong key) => (int)~(uint)key;

    /// <summary>Takes a key in for the smallest one, if it is larger.</summary>
    public static void Offer(Span<ulong> heap, ulong key)
    {
        if (key <= heap[0]) return;
        int i = 0;
        for (int child = 1; child < heap.Length; child = (2 * i) + 1)
        {
            if (child + 1 < heap.Length && heap[child + 1] < heap[child]) child++;
            if (key <= heap[child]) break;
            heap[i] = heap[child];
            i = child;
        }
        heap[i] = key;
    }
}
