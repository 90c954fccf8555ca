using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>A function of two values as a type, so that a loop over it compiles without a branch.</summary>
internal interface IBinary<S, V> where S : struct, ISimd<V> where V : struct
{
    static abstract V Apply(V a, V b);
}

internal readonly struct Plus<S, V> : IBinary<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V a, V b) => S.Add(a, b);
}

internal readonly struct Times<S, V> : IBinary<S, V> where S : struct, ISimd<V> where V : struct
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply(V a, V b) => S.Mul(a, b);
}

/// <summary>Combines two rows.</summary>
internal static unsafe class BinaryRow
{
    /// <summary>y[i] = F(a[i], b[i]); y may be a or b.</summary>
    public static void Run<S, V, F>(float* a, float* b, float* y, int columns) where S : struct, ISimd<V> where V : struct where F : struct, IBinary<S, V>
    {
        int i = 0;
        for (; i <= columns - S.Width; i += S.Width) S.Store(y + i, F.Apply(S.Load(a + i), S.Load(b + i)));
        int tail = columns - i;
        if (tail > 0) S.StoreFirst(y + i, F.Apply(S.LoadFirst(a + i, tail), S.LoadFirst(b + i, tail)), tail);
    }
}
