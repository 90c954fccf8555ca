using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>How many values become one, as a type.</summary>
internal interface IFold<S, V> where S : struct, ISimd<V> where V : struct
{
    /// <summary>Value before the first step.</summary>
    static abstract V Start { get; }

    static abstract V Step(V before, V x);

    /// <summary>The result after <paramref name="count"/> steps.</summary>
    static abstract V Finish(V folded, int count);
}

internal readonly struct SumFold<S, V> : IFold<S, V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static V Start { [MethodImpl(Inline)] get => S.Zero; }

    [MethodImpl(Inline)]
    public static V Step(V before, V x) => S.Add(before, x);

    [MethodImpl(Inline)]
    public static V Finish(V folded, int count) => folded;
}

internal readonly struct MeanFold<S, V> : IFold<S, V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static V Start { [MethodImpl(Inline)] get => S.Zero; }

    [MethodImpl(Inline)]
    public static V Step(V before, V x) => S.Add(before, x);

    [MethodImpl(Inline)]
    public static V Finish(V folded, int count) => S.Div(folded, S.Broadcast(count));
}

/// <summary>The maximum; NaN once met stays, as in PyTorch.</summary>
internal readonly struct MaxFold<S, V> : IFold<S, V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static V Start { [MethodImpl(Inline)] get => S.Broadcast(float.NegativeInfinity); }

    /// <summary>The tier's Max forgets a NaN in its first operand; a sum does not, and ∞ + |x| is ∞ or NaN as it should be.</summary>
    [MethodImpl(Inline)]
    public static V Step(V before, V x) => S.SelectLess(before, S.Broadcast(float.PositiveInfinity), S.Max(before, x), S.Add(before, S.Abs(x)));

    [MethodImpl(Inline)]
    public static V Finish(V folded, int count) => folded;
}
