using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>AVX2 with FMA.</summary>
internal readonly unsafe struct Simd256 : ISimd<Vector256<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 8; }

    public static Vector256<float> Zero { [MethodImpl(Inline)] get => Vector256<float>.Zero; }

    [MethodImpl(Inline)]
    public static Vector256<float> Broadcast(float value) => Vector256.Create(value);

    [MethodImpl(Inline)]
    public static Vector256<float> Load(float* p) => Avx.LoadVector256(p);

    [MethodImpl(Inline)]
    public static void Store(float* p, Vector256<float> v) => Avx.Store(p, v);

    [MethodImpl(Inline)]
    public static Vector256<float> LoadHalf(Half* p)
    {
        // See Simd128.
        var scaled = ((Avx2.ConvertToVector256Int32((short*)p) << 13) & Vector256.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector256.Create(5.192297e33f);
        return scaled | (Avx.CompareGreaterThanOrEqual(Abs(scaled), Vector256.Create(65536f)) & Vector256.Create(float.PositiveInfinity));
    }

    [MethodImpl(Inline)]
    public static void Prefetch(void* p) => Sse.Prefetch1(p);

    [MethodImpl(Inline)]
    public static void PrefetchNear(void* p) => Sse.Prefetch0(p);

    [MethodImpl(Inline)]
    public static Vector256<float> LoadFirst(float* p, int count) => Avx.MaskLoad(p, First(count));

    [MethodImpl(Inline)]
    public static void StoreFirst(float* p, Vector256<float> v, int count) => Avx.MaskStore(p, First(count), v);

    [MethodImpl(Inline)]
    public static Vector256<float> KeepFirst(Vector256<float> v, int count, Vector256<float> other) => Avx.BlendVariable(other, v, First(count));

    [MethodImpl(Inline)]
    public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => Avx.Add(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Sub(Vector256<float> a, Vector256<float> b) => Avx.Subtract(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Mul(Vector256<float> a, Vector256<float> b) => Avx.Multiply(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Div(Vector256<float> a, Vector256<float> b) => Avx.Divide(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Fma(Vector256<float> a, Vector256<float> b, Vector256<float> c) => System.Runtime.Intrinsics.X86.Fma.MultiplyAdd(a, b, c);

    [MethodImpl(Inline)]
    public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Avx.Max(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Avx.Min(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> Abs(Vector256<float> v) => Avx.AndNot(Vector256.Create(-0f), v);

    [MethodImpl(Inline)]
    public static Vector256<float> SelectLess(Vector256<float> a, Vector256<float> b, Vector256<float> x, Vector256<float> y) => Avx.BlendVariable(y, x, Avx.CompareLessThan(a, b));

    [MethodImpl(Inline)]
    public static uint AboveMask(Vector256<float> a, Vector256<float> b) => (uint)Avx.MoveMask(Avx.CompareNotLessThanOrEqual(a, b));

    [MethodImpl(Inline)]
    public static Vector256<float> CopySign(Vector256<float> a, Vector256<float> b) => Avx.Or(Avx.And(Vector256.Create(-0f), b), Avx.AndNot(Vector256.Create(-0f), a));

    [MethodImpl(Inline)]
    public static Vector256<float> Round(Vector256<float> v) => Avx.RoundToNearestInteger(v);

    [MethodImpl(Inline)]
    public static Vector256<float> Scale2(Vector256<float> v, Vector256<float> n)
    {
        // In two steps, since 2ⁿ itself may be too large or too small for a float.
        var exponent = Avx.ConvertToVector256Int32(n);
        var half = Avx2.ShiftRightArithmetic(exponent, 1);
        return Avx.Multiply(Avx.Multiply(v, Power(half)), Power(Avx2.Subtract(exponent, half)));
    }

    [MethodImpl(Inline)]
    private static Vector256<float> Power(Vector256<int> n) => Avx2.ShiftLeftLogical(Avx2.Add(n, Vector256.Create(127)), 23).AsSingle();

    [MethodImpl(Inline)]
    public static float Sum(Vector256<float> v) => Simd128.Sum(Sse.Add(v.GetLower(), v.GetUpper()));

    [MethodImpl(Inline)]
    public static float MaxLane(Vector256<float> v) => Simd128.MaxLane(Sse.Max(v.GetLower(), v.GetUpper()));

    [MethodImpl(Inline)]
    private static Vector256<float> First(int count) => Avx2.CompareGreaterThan(Vector256.Create(count), Vector256<int>.Indices).AsSingle();
}
