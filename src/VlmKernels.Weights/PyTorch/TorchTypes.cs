using System.Collections.Frozen;

namespace VlmKernels.Weights;

/// <summary>Element types by the names of torch's storage classes and dtypes.</summary>
internal static class TorchTypes
{
    private const string Untyped = "UntypedStorage";

    private static readonly FrozenDictionary<string, FileDType> Storages = new Dictionary<string, FileDType>
    {
        ["DoubleStorage"] = FileDType.F64, ["FloatStorage"] = FileDType.F32, ["HalfStorage"] = FileDType.F16, ["BFloat16Storage"] = FileDType.BF16,
        ["LongStorage"] = FileDType.I64, ["IntStorage"] = FileDType.I32, ["ShortStorage"] = FileDType.I16, ["CharStorage"] = FileDType.I8,
        ["ByteStorage"] = FileDType.U8, ["BoolStorage"] = FileDType.BOOL,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, FileDType> DTypes = new Dictionary<string, FileDType>
    {
        ["torch.float64"] = FileDType.F64, ["torch.float32"] = FileDType.F32, ["torch.float16"] = FileDType.F16, ["torch.bfloat16"] = FileDType.BF16,
        ["torch.float8_e4m3fn"] = FileDType.F8_E4M3, ["torch.float8_e5m2"] = FileDType.F8_E5M2, ["torch.float8_e8m0fnu"] = FileDType.F8_E8M0,
        ["torch.int64"] = FileDType.I64, ["torch.int32"] = FileDType.I32, ["torch.int16"] = FileDType.I16, ["torch.int8"] = FileDType.I8,
        ["torch.uint8"] = FileDType.U8, ["torch.bool"] = FileDType.BOOL,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Element type of a typed storage: <c>torch.HalfStorage</c>, once also <c>torch.cuda.HalfStorage</c>.</summary>
    public static FileDType? OfStorage(string type) => Class(type) is { } name && Storages.TryGetValue(name, out FileDType dtype) ? dtype : null;

    /// <summary>Element type of a dtype: <c>torch.bfloat16</c>.</summary>
    public static FileDType? OfDType(string name) => DTypes.TryGetValue(name, out FileDType dtype) ? dtype : null;

    /// <summary>Bytes of what a storage counts: of its elements, or single bytes of a storage without a type.</summary>
    public static int? ElementSize(string type) => Class(type) is Untyped or "_UntypedStorage" ? 1 : OfStorage(type)?.Size();

    private static string? Class(string type) => type.StartsWith("torch.", StringComparison.Ordinal) ? type[(type.LastIndexOf('.') + 1)..] : null;
}
