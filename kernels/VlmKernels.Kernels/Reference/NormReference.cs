namespace VlmKernels.Kernels;

/// <summary>Of v = x + residual: (v − mean) / √(variance + ε) · weight + bias, or v / max(‖v‖₂, ε).</summary>
internal static class NormReference
{
    public static void Run(in NormArgs a)
    {
        MatrixView<float> x = a.X.Floats(), y = a.Y.Floats();
        double[] v = new double[x.Columns];
        for (int i = 0; i < x.Rows; i++)
        {
            var residual = a.Residual.RowOrNone(i);
            for (int c = 0; c < v.Length; c++) v[c] = (double)x.Row(i)[c] + (residual.IsEmpty ? 0 : residual[c]);
            if (a.Kind == NormKind.L2) L2(v, a.Epsilon, y.Row(i));
            else LayerNorm(v, a.Epsilon, a.Weight.Vector(), a.Bias.Vector(), y.Row(i));
        }
    }

    private static void LayerNorm(ReadOnlySpan<double> v, double epsilon, ReadOnlySpan<float> weight, ReadOnlySpan<float> bias, Span<float> y)
    {
        double sum = 0, squares = 0;
        foreach (double value in v) sum += value;
        double mean = sum / v.Length;
        foreach (double value in v) squares += (value - mean) * (value - mean);
        double scale = 1 / Math.Sqrt((squares / v.Length) + epsilon);
        for (int c = 0; c < v.Length; c++) y[c] = (float)(((v[c] - mean) * scale * (weight.IsEmpty ? 1 : weight[c])) + (bias.IsEmpty ? 0 : bias[c]));
    }

    private static void L2(ReadOnlySpan<double> v, double epsilon, Span<float> y)
    {
        double squares = 0;
        foreach (double value in v) squares += value * value;
        double length = Math.Max(Math.Sqrt(squares), epsilon);
        for (int c = 0; c < v.Length; c++) y[c] = (float)(v[c] / length);
    }
}
