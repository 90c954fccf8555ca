using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>How stored rows become vectors of floats, as a type.</summary>
internal unsafe interface IStoredRows<V> where V : struct
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>A vector of elements.</summary>
    static abstract V Load(byte* p);
}

internal readonly unsafe struct FloatRows<S, V> : IStoredRows<V> where S : struct, ISimd<V> where V : struct
{
    public static int Size { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => sizeof(float); }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* p) => S.Load((float*)p);
}

internal readonly unsafe struct HalfRows<S, V> : IStoredRows<V> where S : struct, ISimd<V> where V : struct
{
    public static int Size { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => sizeof(Half); }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load(byte* p) => S.LoadHalf((Half*)p);
}
