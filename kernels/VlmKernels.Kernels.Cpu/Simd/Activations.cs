using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>An elementwise function as a type, so that a loop over it compiles without a branch.</summary>
internal interface IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    static abstract V Apply(V x);
}

internal readonly struct Identity<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => x;
}

internal readonly struct Relu<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => S.Max(S.Zero, x);
}

internal readonly struct Gelu<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => VectorMath<S, V>.Gelu(x);
}

/// <summary>0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))).</summary>
internal readonly struct GeluTanh<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x)
    {
        var inner = S.Mul(S.Broadcast(0.79788456f), S.Fma(S.Mul(S.Broadcast(0.044715f), S.Mul(x, x)), x, x));
        // 0.5·(1 + tanh u) = σ(2u), which keeps the digits of the negative tail.
        return S.Mul(x, VectorMath<S, V>.Sigmoid(S.Add(inner, inner)));
    }
}

internal readonly struct QuickGelu<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => S.Mul(x, VectorMath<S, V>.Sigmoid(S.Mul(S.Broadcast(1.702f), x)));
}

internal readonly struct Silu<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => S.Mul(x, VectorMath<S, V>.Sigmoid(x));
}

internal readonly struct Sigmoid<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => VectorMath<S, V>.Sigmoid(x);
}

internal readonly struct Tanh<S, V> : IActivation<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V x) => VectorMath<S, V>.Tanh(x);
}
