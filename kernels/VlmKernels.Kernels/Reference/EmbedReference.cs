namespace VlmKernels.Kernels;

/// <summary>y[b, i] = table[ids[b, i]] + positions[start[b] + i].</summary>
internal static class EmbedReference
{
    public static void Run(in EmbedArgs a)
    {
        MatrixView<float> table = a.Table.Matrix(), y = a.Y.Floats();
        var ids = new MatrixView<int>(a.Ids);
        for (int i = 0; i < y.Rows; i++)
        {
            int id = ids.Row(i / ids.Columns)[i % ids.Columns];
            if (id < 0 || id >= table.Rows) throw new ContractException($"Embed: ids must be 0 to {table.Rows - 1} of {a.Table.Key}, found {id} at {i}");
            int position = (i % ids.Columns) + (a.PositionStart.IsNone ? 0 : new MatrixView<int>(a.PositionStart).Values[i / ids.Columns]);
            if (!a.Positions.IsNone && (uint)position >= (uint)a.Positions.Rows) throw new ContractException($"Embed: positions are 0 to {a.Positions.Rows - 1}, found {position} at {i}");
            var positions = a.Positions.RowOrNone(position);
            for (int c = 0; c < y.Columns; c++) y.Row(i)[c] = table.Row(id)[c] + (positions.IsEmpty ? 0 : positions[c]);
        }
    }
}
