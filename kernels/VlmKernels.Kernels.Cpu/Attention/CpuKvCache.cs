namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Keys of a head as the micro-kernel's panels, <c>[row, head][capacity / panel][head dim][panel]</c>, so that a decode step packs nothing;
/// values as rows, <c>[row, head][capacity][head dim]</c>.
/// </summary>
internal sealed unsafe class CpuKvCache : KvCache
{
    private readonly CpuStorage _keys, _values;
    private readonly int _panels;

    public CpuKvCache(int rows, int capacity, int heads, int headDim, int panel) : base(rows, capacity, heads, headDim)
    {
        (Panel, _panels) = (panel, (capacity + panel - 1) / panel);
        long headRows = (long)rows * heads;
        _keys = new CpuStorage(checked(headRows * _panels * panel * headDim * sizeof(float)));
        _values = new CpuStorage(checked(headRows * capacity * headDim * sizeof(float)));
        // Lanes that hold no key are computed and left out; numbers left over from elsewhere could make that slow.
        System.Runtime.InteropServices.NativeMemory.Clear(_keys.Base, (nuint)_keys.Bytes);
    }

    /// <summary>Keys of a panel.</summary>
    public int Panel { get; }

    public override long Bytes => _keys.Bytes + _values.Bytes;

    /// <summary>The memory, for a job.</summary>
    public CacheView View => new((float*)_keys.Base, (float*)_values.Base, Heads, Capacity, HeadDim, (long)_panels * Panel * HeadDim);

    public override void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }
}

/// <summary>Addresses within a cache.</summary>
internal readonly unsafe struct CacheView(float* keys, float* values, int heads, int capacity, int headDim, long panelFloats)
{
    private readonly float* _keys = keys, _values = values;

    public readonly int Heads = heads, Capacity = capacity, HeadDim = headDim;

    /// <summary>Floats of a head's panels.</summary>
    public readonly long PanelFloats = panelFloats;

    public float* Keys(int row, int head) => _keys + ((((long)row * Heads) + head) * PanelFloats);

    public float* Values(int row, int head) => _values + ((((long)row * Heads) + head) * Capacity * HeadDim);
}
