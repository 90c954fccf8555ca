namespace VlmKernels.Kernels.Cpu;

/// <summary>Keys and values of one head, as the micro-kernel reads them.</summary>
internal unsafe struct HeadKeys
{
    /// <summary>[keys / panel][head dim][panel].</summary>
    public float* Panels;

    /// <summary>[keys][head dim].</summary>
    public float* Values;
}

/// <summary>Where keys and values come from: tensors, a cache, or rows of a cache chosen key by key.</summary>
internal unsafe interface IKeySource
{
    /// <summary>Floats of scratch for one head.</summary>
    long ScratchFloats { get; }

    /// <summary>The first <paramref name="keys"/> keys of a head for one row of queries; they lie in place or are brought into <paramref name="scratch"/>.</summary>
    HeadKeys Open(int row, int head, int keys, float* scratch);
}

/// <summary>
/// Keys and values as tensors: keys are brought into panels, values next to each other. In a product of query, key and value their rows lie a multiple
/// of 4 KiB apart, which the first-level cache cannot hold.
/// </summary>
internal unsafe struct TensorKeys : IKeySource
{
    public KeyLimits Limits;
    public float* K, V;
    public nint PitchK, PitchV;
    public int HeadDim, Panel;

    public readonly long ScratchFloats => KeyFloats + ((long)Limits.Keys * HeadDim) + Panel;

    private readonly long KeyFloats => (long)(Limits.Keys + Panel - 1) / Panel * Panel * HeadDim;

    public readonly HeadKeys Open(int row, int head, int keys, float* scratch)
    {
        nint first = (nint)Limits.KeyRow(row) * Limits.Keys, column = (nint)head * HeadDim;
        float* k = K + (first * PitchK) + column, v = V + (first * PitchV) + column, values = scratch + KeyFloats;
        float** rows = stackalloc float*[Panel];
        for (int at = 0; at < keys; at += Panel)
        {
            int count = Math.Min(Panel, keys - at);
            for (int r = 0; r < count; r++) rows[r] = k + ((at + r) * PitchK);
            TilePacker.Pack(rows, count, HeadDim, scratch + ((nint)at * HeadDim), Panel);
        }
        long bytes = (long)sizeof(float) * HeadDim;
        for (int t = 0; t < keys; t++) Buffer.MemoryCopy(v + (t * PitchV), values + ((nint)t * HeadDim), bytes, bytes);
        return new HeadKeys { Panels = scratch, Values = values };
    }
}

/// <summary>Keys and values of a cache, in place: a decode step packs nothing.</summary>
internal unsafe struct CachedKeys : IKeySource
{
    public KeyLimits Limits;
    public CacheView Cache;

    public readonly long ScratchFloats => 0;

    public readonly HeadKeys Open(int row, int head, int keys, float* scratch)
        => new() { Panels = Cache.Keys(Limits.KeyRow(row), head), Values = Cache.Values(Limits.KeyRow(row), head) };
}
