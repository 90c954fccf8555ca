using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace VlmKernels.Weights;

/// <summary>Stored little-endian elements to float32, for every dtype but F32 itself.</summary>
internal static class StoredFloats
{
    // The exponent bias moves from 15 to 127 by adding 112; infinities and NaNs need it twice (31 → 255).
    private const uint Rebias = 112u << 23;

    private static readonly float[] E4M3 = Table(code => Small(code, exponentBits: 4, bias: 7, isNaN: (code & 0x7F) == 0x7F, isInfinity: false));
    private static readonly float[] E5M2 = Table(code => Small(code, exponentBits: 5, bias: 15, isNaN: (code & 0x7F) > 0x7C, isInfinity: (code & 0x7F) == 0x7C));
    private static readonly float[] E8M0 = Table(code => code == 0xFF ? float.NaN : MathF.ScaleB(1, code - 127));

    public static void Convert(FileDType dtype, ReadOnlySpan<byte> source, Span<float> into)
    {
        switch (dtype)
        {
            case FileDType.F64: FromDouble(MemoryMarshal.Cast<byte, double>(source), into); break;
            case FileDType.F16: FromHalf(MemoryMarshal.Cast<byte, ushort>(source), into); break;
            case FileDType.BF16: FromBrain(MemoryMarshal.Cast<byte, ushort>(source), into); break;
            case FileDType.F8_E4M3: LookUp(E4M3, source, into); break;
            case FileDType.F8_E5M2: LookUp(E5M2, source, into); break;
            case FileDType.F8_E8M0: LookUp(E8M0, source, into); break;
            case FileDType.I64: FromInteger<long>(source, into); break;
            case FileDType.I32: FromInteger<int>(source, into); break;
            case FileDType.I16: FromInteger<short>(source, into); break;
            case FileDType.I8: FromInteger<sbyte>(source, into); break;
            case FileDType.U8: FromInteger<byte>(source, into); break;
            case FileDType.BOOL:
                for (int i = 0; i < into.Length; i++) into[i] = source[i] == 0 ? 0 : 1;
                break;
            default: throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a converted dtype");
        }
    }

    private static void FromHalf(ReadOnlySpan<ushort> source, Span<float> into)
    {
        int i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= into.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Create(source[i..]));
                HalfToSingle(lower).CopyTo(into[i..]);
                HalfToSingle(upper).CopyTo(into[(i + Vector256<float>.Count)..]);
            }
        }
        for (; i < into.Length; i++) into[i] = HalfToSingle(source[i]);
    }

    private static Vector256<float> HalfToSingle(Vector256<uint> half)
    {
        Vector256<uint> magnitude = (half & Vector256.Create(0x7FFFu)) << 13, rebias = Vector256.Create(Rebias);
        Vector256<uint> bits = magnitude + rebias;
        Vector256<uint> special = Vector256.GreaterThanOrEqual(magnitude.AsInt32(), Vector256.Create(0x7C00 << 13)).AsUInt32();
        Vector256<uint> subnormal = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create(0x0400 << 13)).AsUInt32();
        // A subnormal becomes normal with an implicit one that is not there; the subtraction takes it away, exactly.
        Vector256<uint> one = Vector256.Create(Rebias + (1u << 23));
        Vector256<uint> small = ((magnitude + one).AsSingle() - one.AsSingle()).AsUInt32();
        bits = Vector256.ConditionalSelect(subnormal, small, bits + (special & rebias));
        return (bits | ((half & Vector256.Create(0x8000u)) << 16)).AsSingle();
    }

    private static float HalfToSingle(ushort half)
    {
        uint magnitude = (half & 0x7FFFu) << 13, bits = magnitude + Rebias;
        if (magnitude >= 0x7C00u << 13) bits += Rebias;
        else if (magnitude < 0x0400u << 13)
        {
            const uint one = Rebias + (1u << 23);
            bits = BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude + one) - BitConverter.UInt32BitsToSingle(one));
        }
        return BitConverter.UInt32BitsToSingle(bits | ((half & 0x8000u) << 16));
    }

    private static void FromBrain(ReadOnlySpan<ushort> source, Span<float> into)
    {
        int i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= into.Length - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                (Vector256<uint> lower, Vector256<uint> upper) = Vector256.Widen(Vector256.Create(source[i..]));
                (lower << 16).AsSingle().CopyTo(into[i..]);
                (upper << 16).AsSingle().CopyTo(into[(i + Vector256<float>.Count)..]);
            }
        }
        for (; i < into.Length; i++) into[i] = BitConverter.UInt32BitsToSingle((uint)source[i] << 16);
    }

    private static void FromDouble(ReadOnlySpan<double> source, Span<float> into)
    {
        int i = 0;
        if (Vector128.IsHardwareAccelerated)
        {
            for (; i <= into.Length - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                Vector256.Narrow(Vector256.Create(source[i..]), Vector256.Create(source[(i + Vector256<double>.Count)..])).CopyTo(into[i..]);
            }
        }
        for (; i < into.Length; i++) into[i] = (float)source[i];
    }

    private static void FromInteger<T>(ReadOnlySpan<byte> source, Span<float> into) where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(source);
        for (int i = 0; i < into.Length; i++) into[i] = float.CreateTruncating(values[i]);
    }

    private static void LookUp(float[] table, ReadOnlySpan<byte> source, Span<float> into)
    {
        for (int i = 0; i < into.Length; i++) into[i] = table[source[i]];
    }

    private static float[] Table(Func<int, float> decode) => [.. Enumerable.Range(0, 256).Select(decode)];

    private static float Small(int code, int exponentBits, int bias, bool isNaN, bool isInfinity)
    {
        int mantissaBits = 7 - exponentBits;
        int exponent = (code & 0x7F) >> mantissaBits, mantissa = code & ((1 << mantissaBits) - 1);
        float magnitude = exponent == 0
            ? MathF.ScaleB(mantissa, 1 - bias - mantissaBits)
            : MathF.ScaleB(mantissa + (1 << mantissaBits), exponent - bias - mantissaBits);
        if (isNaN) magnitude = float.NaN;
        if (isInfinity) magnitude = float.PositiveInfinity;
        return MathF.CopySign(magnitude, (code & 0x80) == 0 ? 1 : -1);
    }
}
