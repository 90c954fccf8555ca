namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// A chunk of k of a block of rows against all panels. An item is a panel against a run of tiles. While a panel is at work the next one is fetched,
/// spread over all tiles: weights come from memory, and no core could wait for them.
/// </summary>
internal unsafe struct TileJob<S, V> : IJob where S : struct, ISimd<V> where V : struct
{
    // So many that no thread waits long for the last one.
    private const int FewestItemsPerWorker = 32;

    // What a core has under way while memory answers, with room to spare.
    private const int StreamAhead = 8 << 10;

    public GemmOutput Output;
    public Tiling Tiles;
    public float* Packed, Panels, Sums;
    public int First, K, From, Chunk, PanelCount;
    private int _tileRuns;

    private static int Width => 2 * S.Width;

    /// <summary>Number of items.</summary>
    public int Divide(int workers)
    {
        int wanted = workers == 1 ? 1 : FewestItemsPerWorker * workers;
        _tileRuns = Math.Clamp((wanted + PanelCount - 1) / Math.Max(1, PanelCount), 1, Math.Max(1, Tiles.Count));
        return PanelCount * _tileRuns;
    }

    public readonly void Run(int item, int worker)
    {
        int panel = item / _tileRuns, run = item % _tileRuns;
        int firstTile = (int)((long)Tiles.Count * run / _tileRuns), lastTile = (int)((long)Tiles.Count * (run + 1) / _tileRuns);
        float* a = Packed + ((long)From * Tiles.Total), b = Panels + ((((long)panel * K) + From) * Width);
        // A single tile reads the weight as one stream, so that little of it is fetched in vain where another thread goes on. Behind the last
        // panel this points past the weight: a prefetch may ask for any address.
        nint step = Width * sizeof(float) / Tiles.Count;
        byte* ahead = (byte*)b + (Tiles.Count == 1 ? StreamAhead : ((long)K * Width * sizeof(float)) + (firstTile * step * Chunk));
        for (int t = firstTile; t < lastTile; t++, ahead += step * Chunk)
        {
            int first = Tiles.First(t), rows = Tiles.Rows(t);
            float* sums = Sums is null ? null : Sums + ((((long)panel * Tiles.Total) + first) * Width), at = a + ((long)first * Chunk), start = From == 0 ? null : sums;
            if (From + Chunk < K) MicroKernel.Run<S, V, Packed>(rows, at, b, Width, Chunk, start, Width, new TileEnd(sums, Width), ahead, step);
            else Output.Multiply<S, V>(at, b, Chunk, start, First + first, rows, panel * Width, ahead, step);
        }
    }
}
