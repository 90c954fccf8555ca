namespace VlmKernels.Kernels;

/// <summary>Per head: y[i] = Σₜ pₜ·v[t], p = softmax over the visible keys of scale·(q[i]·k[t]); zeros when a query sees no key.</summary>
internal static class AttentionReference
{
    public static void Run(in AttentionArgs a)
    {
        var cache = a.Cache is null ? null : ReferenceKvCache.Own(a.Cache);
        MatrixView<float> q = a.Q.Floats(), y = a.Y.Floats(), k = (cache?.Keys ?? a.K).Floats(), v = (cache?.Values ?? a.V).Floats();
        int dim = q.Columns / a.Heads;
        double scale = a.Scale == 0 ? 1 / Math.Sqrt(dim) : a.Scale;
        double[] scores = new double[a.Keys];
        for (int row = 0; row < q.Rows; row++)
        {
            var seen = new Keys(a, row / a.Q.Shape[1], row % a.Q.Shape[1]);
            for (int h = 0; h < a.Heads; h++)
            {
                double max = Score(seen, k, q.Row(row).Slice(h * dim, dim), h * dim, scale, scores);
                Mix(seen, v, scores, max, h * dim, y.Row(row).Slice(h * dim, dim));
            }
        }
    }

    /// <summary>Fills the scores, −∞ for hidden keys, and gives the largest.</summary>
    private static double Score(in Keys keys, MatrixView<float> k, ReadOnlySpan<float> query, int column, double scale, Span<double> scores)
    {
        double max = double.NegativeInfinity;
        for (int t = 0; t < scores.Length; t++)
        {
            scores[t] = keys.Sees(t) ? scale * Formulas.Dot(query, k.Row(keys.Row(t)).Slice(column, query.Length)) : double.NegativeInfinity;
            max = Math.Max(max, scores[t]);
        }
        return max;
    }

    private static void Mix(in Keys keys, MatrixView<float> v, ReadOnlySpan<double> scores, double max, int column, Span<float> y)
    {
        double[] mixed = new double[y.Length];
        double total = 0;
        for (int t = 0; t < scores.Length; t++)
        {
            if (double.IsNegativeInfinity(scores[t])) continue;
            double weight = Math.Exp(scores[t] - max);
            var value = v.Row(keys.Row(t)).Slice(column, y.Length);
            for (int c = 0; c < y.Length; c++) mixed[c] += weight * value[c];
            total += weight;
        }
        for (int c = 0; c < y.Length; c++) y[c] = total == 0 ? 0 : (float)(mixed[c] / total);
    }

    /// <summary>The keys of query <paramref name="query"/> of row <paramref name="batch"/>: where they lie and which of them it sees.</summary>
    private readonly ref struct Keys(in AttentionArgs a, int batch, int query)
    {
        private readonly Mask _mask = a.Mask;
        private readonly int _count = a.Keys;
        // Row i · b' / b of the keys; through KeyRows every row of q has its own.
        private readonly int _row = (int)((long)batch * a.KeyBatch / a.Q.Shape[0]);
        private readonly int _position = query + (a.Mask.QueryStart.IsNone ? 0 : new MatrixView<int>(a.Mask.QueryStart).Values[batch]);
        private readonly int _cacheRows = a.Cache?.Rows ?? 0;
        private readonly ReadOnlySpan<int> _rows = a.KeyRows.IsNone ? [] : new MatrixView<int>(a.KeyRows).Row(batch);

        public bool Sees(int key) =>
            (!_mask.Causal || key <= _position)
            && (_mask.KeyLength.IsNone || key < new MatrixView<int>(_mask.KeyLength).Values[_row])
            && (_mask.KeyValid.IsNone || new MatrixView<byte>(_mask.KeyValid).Values[(_row * _count) + key] != 0);

        public int Row(int key)
        {
            if (_rows.IsEmpty) return (_row * _count) + key;
            if ((uint)_rows[key] >= (uint)_cacheRows) throw new ContractException($"Attention: key rows must be 0 to {_cacheRows - 1}, found {_rows[key]} for key {key}");
            return (_rows[key] * _count) + key;
        }
    }
}
