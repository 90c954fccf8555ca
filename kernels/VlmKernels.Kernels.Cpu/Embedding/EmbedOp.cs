using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.Embed"/>: rows of a table plus positions.</summary>
internal static unsafe class EmbedOp
{
    public static void Run(CpuQueue q, in EmbedArgs a)
    {
        CheckIds(a);
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void CheckIds(in EmbedArgs a)
    {
        int* starts = (int*)CpuStorage.Address(a.PositionStart);
        for (int i = 0; i < a.Ids.Shape[0] && starts is not null; i++)
        {
            int last = a.Positions.Rows - a.Ids.Columns;
            if ((uint)starts[i] > (uint)last) throw new ContractException($"Embed: positions are 0 to {a.Positions.Rows - 1}, found {a.Ids.Columns} from {starts[i]} on in row {i}");
        }
        int* ids = (int*)CpuStorage.Address(a.Ids);
        for (int i = 0; i < a.Ids.Shape.Count; i++)
        {
            int id = ids[((nint)(i / a.Ids.Columns) * a.Ids.Pitch) + (i % a.Ids.Columns)];
            if ((uint)id >= (uint)a.Table.Outputs) throw new ContractException($"Embed: ids must be 0 to {a.Table.Outputs - 1} of {a.Table.Key}, found {id} at {i}");
        }
    }

    private static void Run<S, V>(CpuQueue q, in EmbedArgs a) where S : struct, ISimd<V> where V : struct
    {
        var table = a.Table as TableWeight ?? throw new ContractException($"{a.Table.Key} was packed by another backend");
        var job = new EmbedJob<S, V>
        {
            Ids = (int*)CpuStorage.Address(a.Ids),
            Table = table.Row(0),
            Positions = CpuStorage.Floats(a.Positions),
            PositionStart = (int*)CpuStorage.Address(a.PositionStart),
            Y = CpuStorage.Floats(a.Y),
            PitchIds = a.Ids.Pitch,
            PitchPositions = a.Positions.Pitch,
            PitchY = a.Y.Pitch,
            Tokens = a.Ids.Columns,
            Columns = table.Inputs,
        };
        RowJobs.Run(q, job, a.Y.Rows, (a.Positions.IsNone ? 2L : 3L) * sizeof(float) * table.Inputs);
    }

    private struct EmbedJob<S, V> : IRowJob where S : struct, ISimd<V> where V : struct
    {
        public int* Ids, PositionStart;
        public float* Table, Positions, Y;
        public nint PitchIds, PitchPositions, PitchY;
        public int Tokens, Columns;

        public readonly void Run(int first, int end)
        {
            long bytes = (long)sizeof(float) * Columns;
            for (int i = first; i < end; i++)
            {
                int token = i % Tokens, position = token + (PositionStart is null ? 0 : PositionStart[i / Tokens]);
                float* row = Table + ((nint)Ids[(i / Tokens * PitchIds) + token] * Columns), y = Y + (i * PitchY);
                if (Positions is null) Buffer.MemoryCopy(row, y, bytes, bytes);
                else BinaryRow.Run<S, V, Plus<S, V>>(row, Positions + (position * PitchPositions), y, Columns);
            }
        }
    }
}
