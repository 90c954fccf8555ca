using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Arguments of <see cref="IOps.Softmax"/> to the kernel.</summary>
internal static unsafe class SoftmaxOp
{
    // An exponential costs several times what moving its argument does; items are cut by time.
    private const int Weight = 4;

    public static void Run(CpuQueue q, in SoftmaxArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in SoftmaxArgs a) where S : struct, ISimd<V> where V : struct
    {
        var job = new SoftmaxJob<S, V>
        {
            X = CpuStorage.Floats(a.X),
            Y = CpuStorage.Floats(a.Y),
            PitchX = a.X.Pitch,
            PitchY = a.Y.Pitch,
            Columns = a.X.Columns,
            Scale = a.Scale,
            Log = a.Log,
        };
        RowJobs.Run(q, job, a.X.Rows, Weight * 2L * sizeof(float) * a.X.Columns);
    }

    private struct SoftmaxJob<S, V> : IRowJob where S : struct, ISimd<V> where V : struct
    {
        public float* X, Y;
        public nint PitchX, PitchY;
        public int Columns;
        public float Scale;
        public bool Log;

        public readonly void Run(int first, int end)
        {
            for (nint r = first; r < end; r++)
            {
                float* x = X + (r * PitchX), y = Y + (r * PitchY);
                if (Log) SoftmaxKernel<S, V>.LogRow(x, y, Columns, Scale);
                else SoftmaxKernel<S, V>.Row(x, y, Columns, Scale);
            }
        }
    }
}
