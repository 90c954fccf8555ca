using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Where the operands of <see cref="IOps.InnerProduct"/> lie; the pitch of stored rows is in bytes.</summary>
internal unsafe struct InnerProductOperands
{
    public float* X, Y;
    public byte* Rows;
    public nint PitchX, PitchY, PitchRows;
    public int Queries, Columns;
}

/// <summary><see cref="IOps.InnerProduct"/>: work is cut by stored rows, so that each comes from memory once and meets all queries in a near cache.</summary>
internal static unsafe class InnerProductOp
{
    public static void Run(CpuQueue q, in InnerProductArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in InnerProductArgs a) where S : struct, ISimd<V> where V : struct
    {
        if (a.Rows.Type == DType.F16) Run<S, V, HalfRows<S, V>>(q, a);
        else Run<S, V, FloatRows<S, V>>(q, a);
    }

    private static void Run<S, V, R>(CpuQueue q, in InnerProductArgs a) where S : struct, ISimd<V> where V : struct where R : struct, IStoredRows<V>
    {
        var operands = new InnerProductOperands
        {
            X = CpuStorage.Floats(a.X),
            Y = CpuStorage.Floats(a.Y),
            Rows = CpuStorage.Address(a.Rows),
            PitchX = a.X.Pitch,
            PitchY = a.Y.Pitch,
            PitchRows = (nint)a.Rows.Pitch * R.Size,
            Queries = a.X.Rows,
            Columns = a.X.Columns,
        };
        RowJobs.Run(q, new InnerProductJob<S, V, R> { Operands = operands }, a.Rows.Rows, (long)R.Size * a.X.Columns);
    }

    private struct InnerProductJob<S, V, R> : IRowJob where S : struct, ISimd<V> where V : struct where R : struct, IStoredRows<V>
    {
        public InnerProductOperands Operands;

        public readonly void Run(int first, int end) => InnerProductKernel<S, V, R>.Run(Operands, first, end);
    }
}
