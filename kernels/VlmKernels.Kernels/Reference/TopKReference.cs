namespace VlmKernels.Kernels;

/// <summary>Columns by falling value, NaN first, equal ones by rising column; the first k of them.</summary>
internal static class TopKReference
{
    public static void Run(in TopKArgs a)
    {
        MatrixView<float> x = a.X.Floats(), values = a.Values.Floats();
        var ids = new MatrixView<int>(a.Ids);
        for (int i = 0; i < x.Rows; i++)
        {
            float[] row = x.Row(i).ToArray();
            int[] order = [.. Enumerable.Range(0, row.Length).OrderByDescending(c => float.IsNaN(row[c])).ThenByDescending(c => row[c])];
            for (int k = 0; k < values.Columns; k++) (values.Row(i)[k], ids.Row(i)[k]) = (row[order[k]], order[k]);
        }
    }
}
