using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// y = act(A·Wᵀ + bias + residual) for any left operand. Rows are taken in blocks: a block is packed once, then every panel of the weight meets
/// all its tiles, a chunk of k after the other (see <see cref="Blocking"/>). Work is cut by output tiles only.
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
            case Tier.Avx512: Run<Simd512, Vector512<float>, TSource>(q, source, rows, k, panels, output); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>, TSource>(q, source, rows, k, panels, output); break;
            default: Run<Simd128, Vector128<float>, TSource>(q, source, rows, k, panels, output); break;
        }
    }

    private static void Run<S, V, TSource>(CpuQueue q, TSource source, int rows, int k, float* panels, in GemmOutput output)
        where S : struct, ISimd<V> where V : struct where TSource : unmanaged, IRowSource
    {
        int width = 2 * S.Width, tileRows = MicroKernel.MaxRows<S, V>(), panelCount = (output.Columns + width - 1) / width;
        var blocking = new Blocking(rows, k, tileRows, CpuInfo.L2Bytes);
        float* packed = q.Shared((long)blocking.Rows * k), sums = blocking.Chunk < k ? q.Sums((long)blocking.Rows * panelCount * width) : null;
        var pack = new PackJob<TSource> { Source = source, K = k, Chunk = blocking.Chunk, Into = packed, Scratch = q.PerWorker((long)k * tileRows), ScratchStride = q.PerWorkerStride };
        var job = new TileJob<S, V> { Output = output, K = k, PanelCount = panelCount, Packed = packed, Panels = panels, Sums = sums };
        for (int first = 0; first < rows; first += blocking.Rows)
        {
            var tiles = new Tiling(Math.Min(blocking.Rows, rows - first), tileRows);
            (pack.First, pack.Tiles, job.First, job.Tiles) = (first, tiles, first, tiles);
            // A single row is its own packed form.
            if (tiles.Total == 1) job.Packed = source.Row(first, pack.Scratch);
            else q.Workers.Run(ref pack, tiles.Count);
            for (int from = 0; from < k; from += blocking.Chunk)
            {
                (job.From, job.Chunk) = (from, Math.Min(blocking.Chunk, k - from));
                q.Workers.Run(ref job, job.Divide(q.Workers.Count));
            }
        }
    }
}
