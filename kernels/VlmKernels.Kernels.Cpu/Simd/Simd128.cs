using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Portable 128-bit vectors. Fma fuses where the processor does it for free and multiplies, then adds, elsewhere.</summary>
internal readonly unsafe struct Simd128 : ISimd<Vector128<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width { [MethodImpl(Inline)] get => 4; }

    public static Vector128<float> Zero { [MethodImpl(Inline)] get => Vector128<float>.Zero; }

    [MethodImpl(Inline)]
    public static Vector128<float> Broadcast(float value) => Vector128.Create(value);

    [MethodImpl(Inline)]
    public static Vector128<float> Load(float* p) => Vector128.Load(p);

    [MethodImpl(Inline)]
    public static void Store(float* p, Vector128<float> v) => v.Store(p);

    [MethodImpl(Inline)]
    public static Vector128<float> LoadHalf(Half* p)
    {
        // Sign, exponent and fraction move to their places; times 2^(127 − 15) the exponent has the other bias, and subnormals come out right,
        // too. Infinities and NaN arrive above every finite half and get the exponent of all ones.
        var scaled = ((Vector128.WidenLower(Vector128.CreateScalar(*(long*)p).AsInt16()) << 13) & Vector128.Create(unchecked((int)0x8FFFE000))).AsSingle() * Vector128.Create(5.192297e33f);
        return scaled | (Vector128.GreaterThanOrEqual(Abs(scaled), Vector128.Create(65536f)) & Vector128.Create(float.PositiveInfinity));
    }

    [MethodImpl(Inline)]
    public static void Prefetch(void* p)
    {
        if (Sse.IsSupported) Sse.Prefetch1(p);
    }

    [MethodImpl(Inline)]
    public static void PrefetchNear(void* p)
    {
        if (Sse.IsSupported) Sse.Prefetch0(p);
    }

    public static Vector128<float> LoadFirst(float* p, int count)
    {
        if (count >= 4) return Vector128.Load(p);
        var v = Vector128<float>.Zero;
        for (int i = 0; i < count; i++) v = v.WithElement(i, p[i]);
        return v;
    }

    public static void StoreFirst(float* p, Vector128<float> v, int count)
    {
        if (count >= 4) v.Store(p);
        else for (int i = 0; i < count; i++) p[i] = v.GetElement(i);
    }

    [MethodImpl(Inline)]
    public static Vector128<float> KeepFirst(Vector128<float> v, int count, Vector128<float> other) => Vector128.ConditionalSelect(Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle(), v, other);

    [MethodImpl(Inline)]
    public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;

    [MethodImpl(Inline)]
    public static Vector128<float> Sub(Vector128<float> a, Vector128<float> b) => a - b;

    [MethodImpl(Inline)]
    public static Vector128<float> Mul(Vector128<float> a, Vector128<float> b) => a * b;

    [MethodImpl(Inline)]
    public static Vector128<float> Div(Vector128<float> a, Vector128<float> b) => a / b;

    [MethodImpl(Inline)]
    public static Vector128<float> Fma(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);

    [MethodImpl(Inline)]
    public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => Vector128.MinNative(a, b);

    [MethodImpl(Inline)]
    public static Vector128<float> Abs(Vector128<float> v) => Vector128.Abs(v);

    [MethodImpl(Inline)]
    public static Vector128<float> SelectLess(Vector128<float> a, Vector128<float> b, Vector128<float> x, Vector128<float> y) => Vector128.ConditionalSelect(Vector128.LessThan(a, b), x, y);

    [MethodImpl(Inline)]
    public static uint AboveMask(Vector128<float> a, Vector128<float> b) => (~Vector128.LessThanOrEqual(a, b)).ExtractMostSignificantBits();

    [MethodImpl(Inline)]
    public static Vector128<float> CopySign(Vector128<float> a, Vector128<float> b) => Vector128.CopySign(a, b);

    [MethodImpl(Inline)]
    public static Vector128<float> Round(Vector128<float> v) => Vector128.Round(v);

    [MethodImpl(Inline)]
    public static Vector128<float> Scale2(Vector128<float> v, Vector128<float> n)
    {
        // In two steps, since 2ⁿ itself may be too large or too small for a float.
        var exponent = Vector128.ConvertToInt32(n);
        var half = exponent >> 1;
        return v * Power(half) * Power(exponent - half);
    }

    [MethodImpl(Inline)]
    private static Vector128<float> Power(Vector128<int> n) => ((n + Vector128.Create(127)) << 23).AsSingle();

    [MethodImpl(Inline)]
    public static float Sum(Vector128<float> v)
    {
        var half = v + Vector128.Shuffle(v, Vector128.Create(2, 3, 0, 1));
        return half.GetElement(0) + half.GetElement(1);
    }

    [MethodImpl(Inline)]
    public static float MaxLane(Vector128<float> v)
    {
        var half = Vector128.MaxNative(v, Vector128.Shuffle(v, Vector128.Create(2, 3, 0, 1)));
        return MathF.Max(half.GetElement(0), half.GetElement(1));
    }
}
