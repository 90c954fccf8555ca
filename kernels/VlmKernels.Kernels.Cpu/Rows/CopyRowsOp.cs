namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.CopyRows"/>: bytes, whatever the type; rows that follow each other on both sides move as one block.</summary>
internal static unsafe class CopyRowsOp
{
    public static void Run(CpuQueue q, in CopyRowsArgs a)
    {
        CheckIndex(a);
        int size = a.X.Type.Size(), rows = checked(a.Groups * a.Count);
        var job = new CopyJob
        {
            X = CpuStorage.Address(a.X),
            Y = CpuStorage.Address(a.Y),
            PitchX = (nint)a.X.Pitch * size,
            PitchY = (nint)a.Y.Pitch * size,
            Bytes = a.X.Columns * size,
            Index = (int*)CpuStorage.Address(a.Index),
            Count = a.Count,
            XStart = a.XStart,
            XStride = a.XStride,
            YStart = a.YStart,
            YStride = a.YStride,
        };
        RowJobs.Run(q, job, rows, 2L * job.Bytes);
    }

    private static void CheckIndex(in CopyRowsArgs a)
    {
        if (a.Index.IsNone) return;
        var index = new ReadOnlySpan<int>(CpuStorage.Address(a.Index), checked(a.Groups * a.Count));
        for (int i = 0; i < index.Length; i++)
        {
            if ((uint)index[i] >= (uint)a.X.Rows) throw new ContractException($"CopyRows: rows of x {a.X.Shape} are 0 to {a.X.Rows - 1}, found {index[i]} at index {i}");
        }
    }

    private struct CopyJob : IRowJob
    {
        public byte* X, Y;
        public int* Index;
        public nint PitchX, PitchY;
        public int Bytes, Count, XStart, XStride, YStart, YStride;

        public readonly void Run(int first, int end)
        {
            bool blocks = Index is null && PitchX == Bytes && PitchY == Bytes;
            for (int i = first; i < end;)
            {
                int group = i / Count, row = i % Count, run = blocks ? Math.Min(Count - row, end - i) : 1;
                nint from = Index is null ? XStart + ((nint)group * XStride) + row : Index[i];
                nint to = YStart + ((nint)group * YStride) + row;
                Buffer.MemoryCopy(X + (from * PitchX), Y + (to * PitchY), (long)run * Bytes, (long)run * Bytes);
                i += run;
            }
        }
    }
}
