using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>AVX-512 F, BW, DQ, VL.</summary>
internal readonly unsafe struct Simd512 : ISimd<Vector512<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 16; }

    public static Vector512<float> Zero { [MethodImpl(Inline)] get => Vector512<float>.Zero; }

    [MethodImpl(Inline)]
    public static Vector512<float> Broadcast(float value) => Vector512.Create(value);

    [MethodImpl(Inline)]
    public static Vector512<float> Load(float* p) => Avx512F.LoadVector512(p);

    [MethodImpl(Inline)]
    public static void Store(float* p, Vector512<float> v) => Avx512F.Store(p, v);

    [MethodImpl(Inline)]
    public static Vector512<float> LoadHalf(Half* p)
    {
        // See Simd128.
        var scaled = ((Avx512F.ConvertToVector512Int32(Avx.LoadVector256((short*)p)) << 13) & Vector512.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector512.Create(5.192297e33f);
        var special = Avx512F.CompareGreaterThanOrEqual(Abs(scaled), Vector512.Create(65536f));
        return Avx512F.BlendVariable(scaled, scaled | Vector512.Create(float.PositiveInfinity), special);
    }

    [MethodImpl(Inline)]
    public static void Prefetch(void* p) => Sse.Prefetch1(p);

    [MethodImpl(Inline)]
    public static void PrefetchNear(void* p) => Sse.Prefetch0(p);

    [MethodImpl(Inline)]
    public static Vector512<float> LoadFirst(float* p, int count) => Avx512F.MaskLoad(p, First(count), Vector512<float>.Zero);

    [MethodImpl(Inline)]
    public static void StoreFirst(float* p, Vector512<float> v, int count) => Avx512F.MaskStore(p, First(count), v);

    [MethodImpl(Inline)]
    public static Vector512<float> KeepFirst(Vector512<float> v, int count, Vector512<float> other) => Avx512F.BlendVariable(other, v, First(count));

    [MethodImpl(Inline)]
    public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => Avx512F.Add(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Sub(Vector512<float> a, Vector512<float> b) => Avx512F.Subtract(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Mul(Vector512<float> a, Vector512<float> b) => Avx512F.Multiply(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Div(Vector512<float> a, Vector512<float> b) => Avx512F.Divide(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Fma(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);

    [MethodImpl(Inline)]
    public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Avx512F.Max(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Avx512F.Min(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> Abs(Vector512<float> v) => Avx512DQ.AndNot(Vector512.Create(-0f), v);

    [MethodImpl(Inline)]
    public static Vector512<float> SelectLess(Vector512<float> a, Vector512<float> b, Vector512<float> x, Vector512<float> y) => Avx512F.BlendVariable(y, x, Avx512F.CompareLessThan(a, b));

    [MethodImpl(Inline)]
    public static uint AboveMask(Vector512<float> a, Vector512<float> b) => (uint)Avx512F.CompareNotLessThanOrEqual(a, b).ExtractMostSignificantBits();

    [MethodImpl(Inline)]
    public static Vector512<float> CopySign(Vector512<float> a, Vector512<float> b) => Avx512F.TernaryLogic(Vector512.Create(-0f).AsUInt32(), b.AsUInt32(), a.AsUInt32(), 0xCA).AsSingle();

    [MethodImpl(Inline)]
    public static Vector512<float> Round(Vector512<float> v) => Avx512F.RoundScale(v, 0);

    [MethodImpl(Inline)]
    public static Vector512<float> Scale2(Vector512<float> v, Vector512<float> n) => Avx512F.Scale(v, n);

    [MethodImpl(Inline)]
    public static float Sum(Vector512<float> v) => Simd256.Sum(Avx.Add(v.GetLower(), v.GetUpper()));

    [MethodImpl(Inline)]
    public static float MaxLane(Vector512<float> v) => Simd256.MaxLane(Avx.Max(v.GetLower(), v.GetUpper()));

    [MethodImpl(Inline)]
    private static Vector512<float> First(int count) => Avx512F.CompareLessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle();
}
