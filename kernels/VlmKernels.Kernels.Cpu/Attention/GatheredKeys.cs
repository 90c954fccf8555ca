namespace VlmKernels.Kernels.Cpu;

/// <summary>Keys whose row of the cache is chosen key by key: a key keeps its lane of its panel, so panels are blended.</summary>
internal unsafe struct GatheredKeys<S, V> : IKeySource where S : struct, ISimd<V> where V : struct
{
    public CacheView Cache;
    public int* Rows;
    public nint PitchRows;

    private static int Panel => 2 * S.Width;

    public readonly long ScratchFloats => Cache.PanelFloats + ((long)Cache.Capacity * Cache.HeadDim) + Panel;

    public readonly HeadKeys Open(int row, int head, int keys, float* scratch)
    {
        int* rows = Rows + (row * PitchRows);
        float* values = scratch + Cache.PanelFloats;
        long bytes = (long)sizeof(float) * Cache.HeadDim;
        for (int at = 0; at < keys; at += Panel) Blend(rows + at, Math.Min(Panel, keys - at), head, (nint)at * Cache.HeadDim, scratch);
        for (int t = 0; t < keys; t++)
        {
            nint offset = (nint)t * Cache.HeadDim;
            Buffer.MemoryCopy(Cache.Values(rows[t], head) + offset, values + offset, bytes, bytes);
        }
        return new HeadKeys { Panels = scratch, Values = values };
    }

    /// <summary>One panel: rows of the cache are laid over each other upwards, each covering the lanes of its own and of higher rows.</summary>
    private readonly void Blend(int* rows, int count, int head, nint offset, float* into)
    {
        float* lanes = stackalloc float[Panel];
        int lowest = rows[0];
        for (int i = 1; i < count; i++) lowest = Math.Min(lowest, rows[i]);
        for (int i = 0; i < Panel; i++) lanes[i] = i < count ? rows[i] - lowest : 0;
        long bytes = (long)sizeof(float) * Panel * Cache.HeadDim;
        Buffer.MemoryCopy(Cache.Keys(lowest, head) + offset, into + offset, bytes, bytes);
        for (int r = Next(lanes, 0); r > 0; r = Next(lanes, r)) Cover(Cache.Keys(lowest + r, head) + offset, into + offset, lanes, r);
    }

    /// <summary>The smallest number above <paramref name="row"/> among the lanes; 0: there is none.</summary>
    private static int Next(float* lanes, int row)
    {
        float next = float.PositiveInfinity;
        for (int i = 0; i < Panel; i++) next = lanes[i] > row ? MathF.Min(next, lanes[i]) : next;
        return float.IsInfinity(next) ? 0 : (int)next;
    }

    private readonly void Cover(float* from, float* into, float* lanes, int row)
    {
        V low = S.Load(lanes), high = S.Load(lanes + S.Width), number = S.Broadcast(row);
        for (int d = 0; d < Cache.HeadDim; d++, from += Panel, into += Panel)
        {
            S.Store(into, S.SelectLess(low, number, S.Load(into), S.Load(from)));
            S.Store(into + S.Width, S.SelectLess(high, number, S.Load(into + S.Width), S.Load(from + S.Width)));
        }
    }
}
