using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// <see cref="IOps.TopK"/>. Rows are shared out; fewer rows than threads are cut, and the parts' candidates meet again before they are sorted.
/// </summary>
internal static unsafe class TopKOp
{
    // A part of less is done before another thread has joined.
    private const int LeastPart = 1 << 15;

    public static void Run(CpuQueue q, in TopKArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in TopKArgs a) where S : struct, ISimd<V> where V : struct
    {
        int rows = a.X.Rows, columns = a.X.Columns, k = a.Values.Columns;
        if (rows == 0) return;
        int parts = Math.Clamp(columns / Math.Max(LeastPart, k), 1, (q.Workers.Count + rows - 1) / rows);
        var job = new TopKJob<S, V>
        {
            X = CpuStorage.Floats(a.X),
            Values = CpuStorage.Floats(a.Values),
            Ids = (int*)CpuStorage.Address(a.Ids),
            PitchX = a.X.Pitch,
            PitchValues = a.Values.Pitch,
            PitchIds = a.Ids.Pitch,
            Columns = columns,
            K = k,
            Parts = parts,
            Heaps = (ulong*)q.Shared(2L * rows * parts * k),
        };
        q.Workers.Run(ref job, checked(rows * parts));
        RowJobs.Run(q, job, rows, 2L * sizeof(ulong) * k * parts);
    }

    private struct TopKJob<S, V> : IJob, IRowJob where S : struct, ISimd<V> where V : struct
    {
        public float* X, Values;
        public int* Ids;
        public ulong* Heaps;
        public nint PitchX, PitchValues, PitchIds;
        public int Columns, K, Parts;

        /// <summary>Selects within one part of a row.</summary>
        public readonly void Run(int item, int worker)
        {
            int row = item / Parts, part = item % Parts;
            TopKKernel<S, V>.Select(X + (row * PitchX), Bound(part), Bound(part + 1), Heap(row, part));
        }

        /// <summary>Joins the parts of rows and writes their result.</summary>
        readonly void IRowJob.Run(int first, int end)
        {
            for (int row = first; row < end; row++)
            {
                var best = Heap(row, 0);
                for (int part = 1; part < Parts; part++)
                {
                    foreach (ulong key in Heap(row, part)) TopKHeap.Offer(best, key);
                }
                best.Sort();
                Write(row, best);
            }
        }

        private readonly void Write(nint row, ReadOnlySpan<ulong> rising)
        {
            float* x = X + (row * PitchX), values = Values + (row * PitchValues);
            int* ids = Ids + (row * PitchIds);
            for (int i = 0; i < K; i++)
            {
                ids[i] = TopKHeap.Column(rising[K - 1 - i]);
                values[i] = x[ids[i]];
            }
        }

        private readonly int Bound(int part) => (int)((long)Columns * part / Parts);

        private readonly Span<ulong> Heap(int row, int part) => new(Heaps + (((nint)row * Parts) + part) * K, K);
    }
}
