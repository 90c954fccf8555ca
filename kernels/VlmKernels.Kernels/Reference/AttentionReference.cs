namespace VlmKernels.Kernels;

/// <summary>Per head: y[i] = Σₜ pₜ·v[t], p = softmax over the visible keys of scale·(q[i]·k[t]); zeros when a query sees no key.</summary>
internal static class AttentionReference
{
    public static void Run(in AttentionArgs a)
    {
        MatrixView<float> q = a.Q.Floats(), y = a.Y.Floats();
        int queries = a.Q.Shape[1], keys = a.K.Shape[1], dim = q.Columns / a.Heads, sharing = a.Q.Shape[0] / a.K.Shape[0];
        double scale = a.Scale == 0 ? 1 / Math.Sqrt(dim) : a.Scale;
        double[] scores = new double[keys];
        for (int row = 0; row < q.Rows; row++)
        {
            int batch = row / queries / sharing;
            for (int h = 0; h < a.Heads; h++)
            {
                double max = Score(a, q.Row(row).Slice(h * dim, dim), batch, row % queries, h * dim, scale, scores);
                Mix(a, scores, max, batch, h * dim, y.Row(row).Slice(h * dim, dim));
            }
        }
    }

    /// <summary>Fills the scores, −∞ for hidden keys, and gives the largest.</summary>
    private static double Score(in AttentionArgs a, ReadOnlySpan<float> query, int batch, int position, int column, double scale, Span<double> scores)
    {
        var k = a.K.Floats();
        double max = double.NegativeInfinity;
        for (int t = 0; t < scores.Length; t++)
        {
            bool seen = Sees(a.Mask, batch, position, t, scores.Length);
            scores[t] = seen ? scale * Formulas.Dot(query, k.Row((batch * scores.Length) + t).Slice(column, query.Length)) : double.NegativeInfinity;
            max = Math.Max(max, scores[t]);
        }
        return max;
    }

    private static bool Sees(in Mask mask, int batch, int query, int key, int keys) =>
        (!mask.Causal || key <= query)
        && (mask.KeyLength.IsNone || key < new MatrixView<int>(mask.KeyLength).Values[batch])
        && (mask.KeyValid.IsNone || new MatrixView<byte>(mask.KeyValid).Values[(batch * keys) + key] != 0);

    private static void Mix(in AttentionArgs a, ReadOnlySpan<double> scores, double max, int batch, int column, Span<float> y)
    {
        var v = a.V.Floats();
        double[] mixed = new double[y.Length];
        double total = 0;
        for (int t = 0; t < scores.Length; t++)
        {
            if (double.IsNegativeInfinity(scores[t])) continue;
            double weight = Math.Exp(scores[t] - max);
            var value = v.Row((batch * scores.Length) + t).Slice(column, y.Length);
            for (int c = 0; c < y.Length; c++) mixed[c] += weight * value[c];
            total += weight;
        }
        for (int c = 0; c < y.Length; c++) y[c] = total == 0 ? 0 : (float)(mixed[c] / total);
    }
}
