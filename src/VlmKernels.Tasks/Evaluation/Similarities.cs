using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Cosines of all rows with all columns, block by block on the device.</summary>
internal static class Similarities
{
    private const int RowsAtOnce = 256;

    /// <summary>Calls <paramref name="visit"/> for each row with its cosines to all columns.</summary>
    /// <param name="session">Computes.</param>
    /// <param name="rows">Normalised embeddings.</param>
    /// <param name="columns">Normalised embeddings.</param>
    /// <param name="visit">Gets the number of the row and its cosines, which are valid during the call.</param>
    public static void ForEachRow(Session session, float[][] rows, float[][] columns, Action<int, float[]> visit)
    {
        int width = columns[0].Length;
        using var mark = session.Mark();
        var right = Upload(session, columns);
        var cosines = new float[columns.Length];
        for (int first = 0; first < rows.Length; first += RowsAtOnce)
        {
            using var block = session.Mark();
            var left = Upload(session, rows[first..Math.Min(rows.Length, first + RowsAtOnce)]);
            var product = session.TakeFloat(left.Rows, columns.Length);
            session.Ops.MatMul(new MatMulArgs(left, right, product));
            for (int r = 0; r < left.Rows; r++)
            {
                session.CopyOut<float>(product.SliceRows(r, 1), cosines);
                visit(first + r, cosines);
            }
        }
    }

    /// <summary>Cosines of row i of both lists.</summary>
    public static double[] Pairwise(float[][] a, float[][] b) => [.. a.Select((row, i) => row.Zip(b[i], (x, y) => (double)x * y).Sum())];

    private static Tensor Upload(Session session, float[][] rows)
    {
        var t = session.TakeFloat(rows.Length, rows[0].Length);
        session.CopyIn<float>([.. rows.SelectMany(r => r)], t);
        return t;
    }
}
