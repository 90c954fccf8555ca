using System.Diagnostics.CodeAnalysis;

namespace VlmKernels.Weights;

/// <summary>The element types of tensors in weight files, named as the safetensors format names them.</summary>
[SuppressMessage("Naming", "CA1707:Identifiers should not contain underscores", Justification = "The format's own names.")]
public enum FileDType
{
    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32: 8 exponent bits, 7 of mantissa.</summary>
    BF16,

    /// <summary>8-bit float, 4 exponent bits with bias 7, no infinities, NaN only at 0x7F and 0xFF (torch.float8_e4m3fn).</summary>
    F8_E4M3,

    /// <summary>8-bit float, 5 exponent bits with bias 15, IEEE infinities and NaNs (torch.float8_e5m2).</summary>
    F8_E5M2,

    /// <summary>8-bit power of two, 2^(code − 127), NaN at 0xFF (torch.float8_e8m0fnu; OCP microscaling scales).</summary>
    F8_E8M0,

    /// <summary>Signed 64-bit integer.</summary>
    I64,

    /// <summary>Signed 32-bit integer.</summary>
    I32,

    /// <summary>Signed 16-bit integer.</summary>
    I16,

    /// <summary>Signed 8-bit integer.</summary>
    I8,

    /// <summary>Unsigned 8-bit integer.</summary>
    U8,

    /// <summary>One byte: 0 is false, everything else true.</summary>
    BOOL,
}

/// <summary>Sizes and names of <see cref="FileDType"/>.</summary>
public static class FileDTypes
{
    // In the order of the enum.
    private static readonly string[] Names = ["F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E8M0", "I64", "I32", "I16", "I8", "U8", "BOOL"];

    /// <summary>All names, comma-separated, for error messages.</summary>
    internal static string Known { get; } = string.Join(", ", Names);

    /// <summary>Bytes per element.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static int Size(this FileDType dtype) => dtype switch
    {
        FileDType.F64 or FileDType.I64 => 8,
        FileDType.F32 or FileDType.I32 => 4,
        FileDType.F16 or FileDType.BF16 or FileDType.I16 => 2,
        FileDType.F8_E4M3 or FileDType.F8_E5M2 or FileDType.F8_E8M0 or FileDType.I8 or FileDType.U8 or FileDType.BOOL => 1,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "not a dtype"),
    };

    /// <summary>The name in a safetensors header, for example <c>BF16</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="dtype"/> is not a defined value.</exception>
    public static string Name(this FileDType dtype)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)dtype, (uint)Names.Length, nameof(dtype));
        return Names[(int)dtype];
    }

    /// <summary>True for the integers and for <see cref="FileDType.BOOL"/>: what <see cref="StoredTensor.ReadInt64s"/> reads.</summary>
    public static bool IsInteger(this FileDType dtype) => dtype is >= FileDType.I64 and <= FileDType.BOOL;

    /// <summary>Finds a dtype by its name in a safetensors header; names are case-sensitive.</summary>
    public static bool TryParse(string name, out FileDType dtype)
    {
        dtype = (FileDType)Array.IndexOf(Names, name);
        return dtype >= 0;
    }
}
