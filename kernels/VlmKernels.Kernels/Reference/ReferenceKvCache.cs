namespace VlmKernels.Kernels;

/// <summary>Keys and values as they came: [rows, capacity, heads · d]; NaN where nothing was written.</summary>
internal sealed class ReferenceKvCache(Tensor keys, Tensor values, int heads) : KvCache(keys.Shape[0], keys.Shape[1], heads, keys.Columns / heads)
{
    public Tensor Keys => keys;

    public Tensor Values => values;

    public override long Bytes => keys.Span + values.Span;

    /// <summary>A cache of this backend.</summary>
    /// <exception cref="ContractException">Another backend made it.</exception>
    public static ReferenceKvCache Own(KvCache cache) => cache as ReferenceKvCache ?? throw new ContractException("a cache was made by another backend than the reference");

    public override void Dispose()
    {
        keys.Storage!.Dispose();
        values.Storage!.Dispose();
    }
}
