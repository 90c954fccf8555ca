using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.Reduce"/>: every column of a group is folded from its first row to its last. Work is cut by groups and strips of columns.</summary>
internal static unsafe class ReduceOp
{
    public static void Run(CpuQueue q, in ReduceArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in ReduceArgs a) where S : struct, ISimd<V> where V : struct
    {
        if (a.Kind == ReduceKind.Mean) Run<S, V, MeanFold<S, V>>(q, a);
        else Run<S, V, SumFold<S, V>>(q, a);
    }

    private static void Run<S, V, F>(CpuQueue q, in ReduceArgs a) where S : struct, ISimd<V> where V : struct where F : struct, IFold<S, V>
    {
        var job = new ReduceJob<S, V, F>
        {
            X = CpuStorage.Floats(a.X),
            Y = CpuStorage.Floats(a.Y),
            PitchX = a.X.Pitch,
            PitchY = a.Y.Pitch,
            Rows = a.X.Rows / a.Y.Rows,
            Columns = a.X.Columns,
            Strips = (a.X.Columns + ReduceJob<S, V, F>.Strip - 1) / ReduceJob<S, V, F>.Strip,
        };
        RowJobs.Run(q, job, checked(a.Y.Rows * job.Strips), (long)sizeof(float) * job.Rows * ReduceJob<S, V, F>.Strip);
    }

    private struct ReduceJob<S, V, F> : IRowJob where S : struct, ISimd<V> where V : struct where F : struct, IFold<S, V>
    {
        /// <summary>Columns that one thread folds at a time.</summary>
        public const int Strip = 128;

        public float* X, Y;
        public nint PitchX, PitchY;
        public int Rows, Columns, Strips;

        public readonly void Run(int first, int end)
        {
            for (int i = first; i < end; i++)
            {
                int group = i / Strips, column = i % Strips * Strip;
                var cells = new Cells { First = X + ((nint)group * Rows * PitchX) + column, Rows = 1, PerRow = Rows, CellPitch = PitchX };
                FoldKernel<S, V, F>.Run(cells, Math.Min(Strip, Columns - column), Y + (group * PitchY) + column);
            }
        }
    }
}
