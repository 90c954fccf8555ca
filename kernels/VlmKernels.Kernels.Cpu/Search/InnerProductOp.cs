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
        int padded = (a.X.Columns + S.Width - 1) / S.Width * S.Width;
        var operands = new InnerProductOperands
        {
            X = Pad(q, a.X, padded),
            Y = CpuStorage.Floats(a.Y),
            Rows = CpuStorage.Address(a.Rows),
            PitchX = padded,
            PitchY = a.Y.Pitch,
            PitchRows = (nint)a.Rows.Pitch * R.Size,
            Queries = a.X.Rows,
            Columns = a.X.Columns,
        };
        RowJobs.Run(q, new InnerProductJob<S, V, R> { Operands = operands }, a.Rows.Rows, (long)R.Size * a.X.Columns);
    }

    /// <summary>Copies queries into scratch with zeros up to a whole vector, so that the kernel needs no second text for a row's end.</summary>
    private static float* Pad(CpuQueue q, Tensor x, int padded)
    {
        float* scratch = q.Shared((long)x.Rows * padded);
        for (nint i = 0; i < x.Rows; i++)
        {
            var row = new Span<float>(scratch + (i * padded), padded);
            new ReadOnlySpan<float>(CpuStorage.Floats(x) + (i * x.Pitch), x.Columns).CopyTo(row);
            row[x.Columns..].Clear();
        }
        return scratch;
    }

    private struct InnerProductJob<S, V, R> : IRowJob where S : struct, ISimd<V> where V : struct where R : struct, IStoredRows<V>
    {
        public InnerProductOperands Operands;

        public readonly void Run(int first, int end) => InnerProductKernel<S, V, R>.Run(Operands, first, end);
    }
}
