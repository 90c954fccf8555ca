using System.Runtime.InteropServices;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>float32 to what a file stores, to nearest and, of two that are equally near, to the even one (IEEE 754 roundTiesToEven; torch's <c>Tensor.to</c>).</summary>
internal static class Rounding
{
    private const ushort BrainNaN = 0x7FC0;

    /// <summary>The types that are written.</summary>
    public static bool IsTarget(FileDType dtype) => dtype is FileDType.F32 or FileDType.F16 or FileDType.BF16;

    /// <summary>Encodes values, little-endian.</summary>
    /// <param name="to">One of the types that are written.</param>
    /// <param name="values">The values.</param>
    /// <param name="into">Receives their bytes.</param>
    /// <returns>How many finite values have become infinite.</returns>
    public static int Encode(FileDType to, ReadOnlySpan<float> values, Span<byte> into)
    {
        switch (to)
        {
            case FileDType.F32: MemoryMarshal.AsBytes(values).CopyTo(into); return 0;
            case FileDType.F16: return EncodeHalf(values, MemoryMarshal.Cast<byte, ushort>(into));
            case FileDType.BF16: return EncodeBrain(values, MemoryMarshal.Cast<byte, ushort>(into));
            default: throw new ArgumentOutOfRangeException(nameof(to), to, "not a type that is written");
        }
    }

    /// <summary>Rounds values to those that a type can hold; types at least as wide as F32 hold them all.</summary>
    public static void Round(FileDType to, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
        {
            if (to == FileDType.F16) values[i] = (float)(Half)values[i];
            else if (to == FileDType.BF16) values[i] = BitConverter.UInt32BitsToSingle((uint)ToBrain(values[i]) << 16);
        }
    }

    private static int EncodeHalf(ReadOnlySpan<float> values, Span<ushort> into)
    {
        int overflows = 0;
        for (int i = 0; i < values.Length; i++)
        {
            Half half = (Half)values[i];
            into[i] = BitConverter.HalfToUInt16Bits(half);
            if (Half.IsInfinity(half) && float.IsFinite(values[i])) overflows++;
        }
        return overflows;
    }

    private static int EncodeBrain(ReadOnlySpan<float> values, Span<ushort> into)
    {
        int overflows = 0;
        for (int i = 0; i < values.Length; i++)
        {
            ushort brain = ToBrain(values[i]);
            into[i] = brain;
            if ((brain & 0x7FFF) == 0x7F80 && float.IsFinite(values[i])) overflows++;
        }
        return overflows;
    }

    /// <summary>Adding just under half of the last place, and one more where that place is odd, carries exactly where rounding is upwards.</summary>
    private static ushort ToBrain(float value)
    {
        if (float.IsNaN(value)) return BrainNaN;
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
