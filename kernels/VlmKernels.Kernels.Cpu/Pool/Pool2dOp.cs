using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.Pool2d"/>: folds the cells of each window that exist, vectorised over channels.</summary>
internal static unsafe class Pool2dOp
{
    public static void Run(CpuQueue q, in PoolArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in PoolArgs a) where S : struct, ISimd<V> where V : struct
    {
        if (a.Kind == PoolKind.Max) Run<S, V, MaxFold<S, V>>(q, a);
        else Run<S, V, MeanFold<S, V>>(q, a);
    }

    private static void Run<S, V, F>(CpuQueue q, in PoolArgs a) where S : struct, ISimd<V> where V : struct where F : struct, IFold<S, V>
    {
        var job = new PoolJob<S, V, F>
        {
            X = CpuStorage.Floats(a.X),
            Y = CpuStorage.Floats(a.Y),
            PitchY = a.Y.Pitch,
            Channels = a.X.Columns,
            Height = a.X.Shape[1],
            Width = a.X.Shape[2],
            WindowsDown = a.Y.Shape[1],
            WindowsAcross = a.Y.Shape[2],
            Stencil = a.Stencil,
        };
        RowJobs.Run(q, job, a.Y.Rows, (long)sizeof(float) * a.X.Columns * ((a.Stencil.Kernel * a.Stencil.Kernel) + 1));
    }

    private struct PoolJob<S, V, F> : IRowJob where S : struct, ISimd<V> where V : struct where F : struct, IFold<S, V>
    {
        public float* X, Y;
        public nint PitchY;
        public int Channels, Height, Width, WindowsDown, WindowsAcross;
        public Stencil Stencil;

        public readonly void Run(int first, int end)
        {
            for (int i = first; i < end; i++)
            {
                int picture = i / (WindowsDown * WindowsAcross);
                var (top, rows) = Existing(i / WindowsAcross % WindowsDown, Height);
                var (left, perRow) = Existing(i % WindowsAcross, Width);
                var cells = new Cells
                {
                    First = X + (((((nint)picture * Height) + top) * Width) + left) * Channels,
                    Rows = rows,
                    PerRow = perRow,
                    RowPitch = (nint)Width * Channels,
                    CellPitch = Channels,
                };
                FoldKernel<S, V, F>.Run(cells, Channels, Y + (i * PitchY));
            }
        }

        /// <summary>The cells of a window along one side, without those of the padding.</summary>
        private readonly (int First, int Count) Existing(int window, int extent)
        {
            int start = (window * Stencil.Stride) - Stencil.PadBefore, first = Math.Max(0, start);
            return (first, Math.Max(0, Math.Min(start + Stencil.Kernel, extent) - first));
        }
    }
}
