using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.Combine"/>: row i of a meets row i mod r of b.</summary>
internal static unsafe class CombineOp
{
    public static void Run(CpuQueue q, in CombineArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in CombineArgs a) where S : struct, ISimd<V> where V : struct
    {
        if (a.Kind == CombineKind.Add) Run<S, V, Plus<S, V>>(q, a);
        else Run<S, V, Times<S, V>>(q, a);
    }

    private static void Run<S, V, F>(CpuQueue q, in CombineArgs a) where S : struct, ISimd<V> where V : struct where F : struct, IBinary<S, V>
    {
        var job = new CombineJob<S, V, F>
        {
            A = CpuStorage.Floats(a.A),
            B = CpuStorage.Floats(a.B),
            Y = CpuStorage.Floats(a.Y),
            PitchA = a.A.Pitch,
            PitchB = a.B.Pitch,
            PitchY = a.Y.Pitch,
            RowsB = a.B.Rows,
            Columns = a.A.Columns,
        };
        RowJobs.Run(q, job, a.A.Rows, 3L * sizeof(float) * a.A.Columns);
    }

    private struct CombineJob<S, V, F> : IRowJob where S : struct, ISimd<V> where V : struct where F : struct, IBinary<S, V>
    {
        public float* A, B, Y;
        public nint PitchA, PitchB, PitchY;
        public int RowsB, Columns;

        public readonly void Run(int first, int end)
        {
            int b = first % RowsB;
            for (nint r = first; r < end; r++)
            {
                BinaryRow.Run<S, V, F>(A + (r * PitchA), B + (b * PitchB), Y + (r * PitchY), Columns);
                if (++b == RowsB) b = 0;
            }
        }
    }
}
