namespace VlmKernels.Kernels;

/// <summary>y[b, i] = table[ids[b, i]] + positions[i].</summary>
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
            var positions = a.Positions.RowOrNone(i % ids.Columns);
            for (int c = 0; c < y.Columns; c++) y.Row(i)[c] = table.Row(id)[c] + (positions.IsEmpty ? 0 : positions[c]);
        }
    }
}
