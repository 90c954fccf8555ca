namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// y = act(A·Wᵀ + bias + residual) for any left operand. Rows are cut into blocks whose packed form stays in the second-level cache;
/// a block is packed once, then every panel of the weight meets it. Work is cut by output tiles only.
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>Runs a product on the queue's tier.</summary>
    /// <param name="q">The queue.</param>
    /// <param name="source">The left operand, <paramref name="k"/> floats a row.</param>
    /// <param name="rows">Rows of the left operand and of y.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="panels">Packed right operand, [output.Columns / panel][k][panel].</param>
    /// <param name="output">Where the product goes.</param>
    public static void Run<TSource>(CpuQueue q, TSource source, int rows, int k, float* panels, in GemmOutput output) where TSource : unmanaged, IRowSource
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, System.Runtime.Intrinsics.Vector512<float>, TSource>(q, source, rows, k, panels, output); break;
            case Tier.Avx2: Run<Simd256, System.Runtime.Intrinsics.Vector256<float>, TSource>(q, source, rows, k, panels, output); break;
            default: Run<Simd128, System.Runtime.Intrinsics.Vector128<float>, TSource>(q, source, rows, k, panels, output); break;
        }
    }

    private static void Run<S, V, TSource>(CpuQueue q, TSource source, int rows, int k, float* panels, in GemmOutput output)
        where S : struct, ISimd<V> where V : struct where TSource : unmanaged, IRowSource
    {
        int block = BlockRows(rows, k, MicroKernel.MaxRows<S, V>(), q.CacheBytes);
        float* packed = q.Shared((long)block * k);
        for (int first = 0; first < rows; first += block)
        {
            var tiles = new Tiling(Math.Min(block, rows - first), MicroKernel.MaxRows<S, V>());
            var pack = new PackJob<TSource> { Source = source, First = first, Tiles = tiles, K = k, Into = packed, Scratch = q.PerWorker((long)k * MicroKernel.MaxRows<S, V>()), ScratchStride = q.PerWorkerStride };
            q.Workers.Run(ref pack, tiles.Count);
            var job = new TileJob<S, V> { Output = output, First = first, Tiles = tiles, K = k, Packed = packed, Panels = panels };
            q.Workers.Run(ref job, job.Divide(q.Workers.Count));
        }
    }

    /// <summary>Rows of a block: equal blocks, each within the cache budget.</summary>
    private static int BlockRows(int rows, int k, int maxRows, long cacheBytes)
    {
        long fit = Math.Max(maxRows, cacheBytes / sizeof(float) / Math.Max(1, k) / maxRows * maxRows);
        int blocks = (int)((rows + fit - 1) / fit);
        int even = (rows + blocks - 1) / Math.Max(1, blocks);
        return Math.Max(1, blocks == 1 ? rows : Math.Min((even + maxRows - 1) / maxRows * maxRows, rows));
    }

    /// <summary>Cuts rows into tiles of nearly equal height, so that no tile runs half empty.</summary>
    private readonly struct Tiling(int rows, int maxRows)
    {
        public readonly int Count = (rows + maxRows - 1) / maxRows;
        private readonly int _low = rows / Math.Max(1, (rows + maxRows - 1) / maxRows);
        private readonly int _taller = rows % Math.Max(1, (rows + maxRows - 1) / maxRows);

        public int First(int tile) => (tile * _low) + Math.Min(tile, _taller);

        public int Rows(int tile) => _low + (tile < _taller ? 1 : 0);
    }

    private struct PackJob<TSource> : IJob where TSource : unmanaged, IRowSource
    {
        public TSource Source;
        public Tiling Tiles;
        public float* Into, Scratch;
        public long ScratchStride;
        public int First, K;

        public void Run(int item, int worker)
        {
            int first = Tiles.First(item), rows = Tiles.Rows(item);
            float** row = stackalloc float*[rows];
            float* scratch = Scratch + (worker * ScratchStride);
            for (int r = 0; r < rows; r++) row[r] = Source.Row(First + first + r, scratch + ((long)r * K));
            TilePacker.Pack(row, rows, K, Into + ((long)first * K), rows);
        }
    }

    /// <summary>
    /// An item is a run of neighbouring panels against a run of tiles. While a panel is at work the next one is fetched, spread over all tiles:
    /// weights come from memory, and no core could wait for them.
    /// </summary>
    private struct TileJob<S, V> : IJob where S : struct, ISimd<V> where V : struct
    {
        private const int ItemsPerWorker = 4;

        // What a core has under way while memory answers, with room to spare.
        private const int StreamAhead = 8 << 10;

        public GemmOutput Output;
        public Tiling Tiles;
        public float* Packed, Panels;
        public int First, K;
        private int _panels, _panelRuns, _tileRuns;

        private static int Width => 2 * S.Width;

        public int Divide(int workers)
        {
            _panels = (Output.Columns + Width - 1) / Width;
            int wanted = workers == 1 ? 1 : ItemsPerWorker * workers;
            _panelRuns = Math.Min(_panels, wanted);
            _tileRuns = Math.Clamp(wanted / Math.Max(1, _panelRuns), 1, Math.Max(1, Tiles.Count));
            return _panelRuns * _tileRuns;
        }

        public readonly void Run(int item, int worker)
        {
            int panelRun = item / _tileRuns, tileRun = item % _tileRuns;
            int firstTile = (int)((long)Tiles.Count * tileRun / _tileRuns), lastTile = (int)((long)Tiles.Count * (tileRun + 1) / _tileRuns);
            int lastPanel = (int)((long)_panels * (panelRun + 1) / _panelRuns);
            for (int p = (int)((long)_panels * panelRun / _panelRuns); p < lastPanel; p++) Panel(p, firstTile, lastTile);
        }

        private readonly void Panel(int panel, int firstTile, int lastTile)
        {
            float* tile = stackalloc float[MicroKernel.MaxRows<S, V>() * Width];
            float* b = Panels + ((long)panel * K * Width);
            // A single tile reads the weight as one stream, so that little of it is fetched in vain where another thread goes on. Behind the last
            // panel this points past the weight: a prefetch may ask for any address.
            byte* ahead = (byte*)b + (lastTile - firstTile == 1 ? StreamAhead : (long)K * Width * sizeof(float));
            nint step = Width * sizeof(float) / Math.Max(1, lastTile - firstTile);
            for (int t = firstTile; t < lastTile; t++, ahead += step * K)
            {
                int first = Tiles.First(t), rows = Tiles.Rows(t);
                MicroKernel.Run<S, V>(rows, Packed + ((long)first * K), b, Width, tile, Width, K, accumulate: false, ahead, step);
                Output.Write<S, V>(tile, First + first, rows, panel * Width);
            }
        }
    }
}
