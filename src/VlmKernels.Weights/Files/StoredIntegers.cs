using System.Numerics;
using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>Stored little-endian integers to int64.</summary>
internal static class StoredIntegers
{
    public static void Widen(FileDType dtype, ReadOnlySpan<byte> source, Span<long> into)
    {
        switch (dtype)
        {
            case FileDType.I64: source.CopyTo(MemoryMarshal.AsBytes(into)); break;
            case FileDType.I32: Widen<int>(source, into); break;
            case FileDType.I16: Widen<short>(source, into); break;
            case FileDType.I8: Widen<sbyte>(source, into); break;
            case FileDType.U8: Widen<byte>(source, into); break;
            case FileDType.BOOL:
                for (int i = 0; i < into.Length; i++) into[i] = source[i] == 0 ? 0 : 1;
                break;
            default: throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not an integer");
        }
    }

    private static void Widen<T>(ReadOnlySpan<byte> source, Span<long> into) where T : unmanaged, IBinaryInteger<T>
    {
        ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(source);
        for (int i = 0; i < into.Length; i++) into[i] = long.CreateTruncating(values[i]);
    }
}
