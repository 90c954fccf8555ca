namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// The vector operations that kernels are written in, one empty struct per tier. <typeparamref name="V"/> is the bare vector type, so
/// that locals stay in registers. <see cref="Fma"/> rounds once where the tier has the instruction and is never a software loop.
/// Reductions are fixed trees: the same lanes always meet in the same order.
/// </summary>
/// <typeparam name="V">Vector of floats.</typeparam>
internal unsafe interface ISimd<V> where V : struct
{
    /// <summary>Floats in a vector.</summary>
    static abstract int Width { get; }

    static abstract V Zero { get; }

    static abstract V Broadcast(float value);

    static abstract V Load(float* p);

    static abstract void Store(float* p, V v);

    /// <summary>Loads as many halves as there are lanes and widens them, exactly.</summary>
    static abstract V LoadHalf(Half* p);

    /// <summary>Asks for the line of an address in the second-level cache; any address is fine, nothing is read.</summary>
    static abstract void Prefetch(void* p);

    /// <summary>As <see cref="Prefetch"/>, in the first-level cache.</summary>
    static abstract void PrefetchNear(void* p);

    /// <summary>Loads the first <paramref name="count"/> floats (0 … Width); other lanes are 0 and their memory is not touched.</summary>
    static abstract V LoadFirst(float* p, int count);

    /// <summary>Stores the first <paramref name="count"/> lanes; other memory is not touched.</summary>
    static abstract void StoreFirst(float* p, V v, int count);

    /// <summary>Keeps the first <paramref name="count"/> lanes of v and takes the others from <paramref name="other"/>.</summary>
    static abstract V KeepFirst(V v, int count, V other);

    static abstract V Add(V a, V b);

    static abstract V Sub(V a, V b);

    static abstract V Mul(V a, V b);

    static abstract V Div(V a, V b);

    /// <summary>a·b + c.</summary>
    static abstract V Fma(V a, V b, V c);

    /// <summary>Lane-wise maximum; NaN in b gives NaN, NaN in a may not.</summary>
    static abstract V Max(V a, V b);

    /// <summary>Lane-wise minimum; NaN in b gives NaN, NaN in a may not.</summary>
    static abstract V Min(V a, V b);

    static abstract V Abs(V v);

    /// <summary>Lane-wise a &lt; b ? x : y; a comparison with NaN is false.</summary>
    static abstract V SelectLess(V a, V b, V x, V y);

    /// <summary>A bit per lane, lane 0 lowest: 0 where a ≤ b, 1 where it is not, so also for NaN.</summary>
    static abstract uint AboveMask(V a, V b);

    /// <summary>Magnitude of a with the sign of b.</summary>
    static abstract V CopySign(V a, V b);

    /// <summary>Rounds to the nearest integer, ties to even.</summary>
    static abstract V Round(V v);

    /// <summary>v · 2ⁿ for integral n in −252 … 252, rounded once.</summary>
    static abstract V Scale2(V v, V n);

    /// <summary>Sum of all lanes, as a fixed tree.</summary>
    static abstract float Sum(V v);

    /// <summary>Largest lane.</summary>
    static abstract float MaxLane(V v);
}
