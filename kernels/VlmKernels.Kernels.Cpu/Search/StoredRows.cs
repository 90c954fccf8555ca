using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>How stored rows become vectors of floats, as a type.</summary>
internal unsafe interface IStoredRows<V> where V : struct
{
    /// <summary>Bytes of an element.</summary>
    static abstract int Size { get; }

    /// <summary>A vector of elements.</summary>
    static abstract V Load(byte* p);

    /// <summary>The first <paramref name="count"/> elements; other lanes are 0 and their memory is not touched.</summary>
    static abstract V LoadFirst(byte* p, int count);
}

internal readonly unsafe struct FloatRows<S, V> : IStoredRows<V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Size { [MethodImpl(Inline)] get => sizeof(float); }

    [MethodImpl(Inline)]
    public static V Load(byte* p) => S.Load((float*)p);

    [MethodImpl(Inline)]
    public static V LoadFirst(byte* p, int count) => S.LoadFirst((float*)p, count);
}

internal readonly unsafe struct HalfRows<S, V> : IStoredRows<V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Size { [MethodImpl(Inline)] get => sizeof(Half); }

    [MethodImpl(Inline)]
    public static V Load(byte* p) => S.LoadHalf((Half*)p);

    public static V LoadFirst(byte* p, int count)
    {
        Half* whole = stackalloc Half[S.Width];
        Unsafe.InitBlockUnaligned(whole, 0, (uint)(S.Width * sizeof(Half)));
        Unsafe.CopyBlockUnaligned(whole, p, (uint)(count * sizeof(Half)));
        return S.LoadHalf(whole);
    }
}
