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

    /// <summary>An item is a run of tiles under one panel; items of one panel follow each other, so that it stays in the cache.</summary>
    private struct TileJob<S, V> : IJob where S : struct, ISimd<V> where V : struct
    {
        public GemmOutput Output;
        public Tiling Tiles;
        public float* Packed, Panels;
        public int First, K;
        private int _groups;

        public int Divide(int workers)
        {
            int panel = 2 * S.Width, panels = (Output.Columns + panel - 1) / panel;
            // Enough items for an even share, as few as possible otherwise.
            int wanted = workers == 1 ? 1 : ((8 * workers) + panels - 1) / Math.Max(1, panels);
            _groups = Math.Clamp(wanted, 1, Math.Max(1, Tiles.Count));
            return panels * _groups;
        }

        public readonly void Run(int item, int worker)
        {
            int panel = item / _groups, group = item % _groups, width = 2 * S.Width;
            float* tile = stackalloc float[MicroKernel.MaxRows<S, V>() * width];
            float* b = Panels + ((long)panel * K * width);
            int last = (int)((long)Tiles.Count * (group + 1) / _groups);
            for (int t = (int)((long)Tiles.Count * group / _groups); t < last; t++)
            {
                int first = Tiles.First(t), rows = Tiles.Rows(t);
                MicroKernel.Run<S, V>(rows, Packed + ((long)first * K), b, width, tile, width, K, accumulate: false);
                Output.Write<S, V>(tile, First + first, rows, panel * width);
            }
        }
    }
}
