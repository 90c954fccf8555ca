using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Arguments of <see cref="IOps.Norm"/> to one kernel per formula.</summary>
internal static unsafe class NormOp
{
    public static void Run(CpuQueue q, in NormArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in NormArgs a) where S : struct, ISimd<V> where V : struct
    {
        if (a.Kind == NormKind.LayerNorm) Run<S, V, LayerNormKernel<S, V>>(q, a);
        else Run<S, V, L2NormKernel<S, V>>(q, a);
    }

    private static void Run<S, V, N>(CpuQueue q, in NormArgs a) where S : struct, ISimd<V> where V : struct where N : struct, INormKernel
    {
        var job = new NormJob<S, V, N>
        {
            X = CpuStorage.Floats(a.X),
            Y = CpuStorage.Floats(a.Y),
            Residual = CpuStorage.Floats(a.Residual),
            Weight = CpuStorage.Floats(a.Weight),
            Bias = CpuStorage.Floats(a.Bias),
            PitchX = a.X.Pitch,
            PitchY = a.Y.Pitch,
            PitchResidual = a.Residual.Pitch,
            Columns = a.X.Columns,
            Epsilon = a.Epsilon,
        };
        RowJobs.Run(q, job, a.X.Rows, (a.Residual.IsNone ? 2L : 3L) * sizeof(float) * a.X.Columns);
    }

    private struct NormJob<S, V, N> : IRowJob where S : struct, ISimd<V> where V : struct where N : struct, INormKernel
    {
        public float* X, Y, Residual, Weight, Bias;
        public nint PitchX, PitchY, PitchResidual;
        public int Columns;
        public float Epsilon;

        public readonly void Run(int first, int end)
        {
            for (nint r = first; r < end; r++)
            {
                float* x = X + (r * PitchX), y = Y + (r * PitchY);
                if (Residual is not null)
                {
                    // The sum waits in y, which is in the first-level cache from here on.
                    BinaryRow.Run<S, V, Plus<S, V>>(x, Residual + (r * PitchResidual), y, Columns);
                    x = y;
                }
                N.Row(x, y, Weight, Bias, Columns, Epsilon);
            }
        }
    }
}

/// <summary>Normalises one row; y may be x.</summary>
internal unsafe interface INormKernel
{
    static abstract void Row(float* x, float* y, float* weight, float* bias, int columns, float epsilon);
}
