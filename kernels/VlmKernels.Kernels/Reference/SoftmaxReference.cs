namespace VlmKernels.Kernels;

/// <summary>Of v = scale·x: exp(v − max) / Σ exp(v − max), or v − max − ln Σ exp(v − max).</summary>
internal static class SoftmaxReference
{
    public static void Run(in SoftmaxArgs a)
    {
        MatrixView<float> x = a.X.Floats(), y = a.Y.Floats();
        double[] v = new double[x.Columns];
        for (int i = 0; i < x.Rows; i++)
        {
            double max = double.NegativeInfinity, sum = 0;
            for (int c = 0; c < v.Length; c++) max = Math.Max(max, v[c] = (double)a.Scale * x.Row(i)[c]);
            foreach (double value in v) sum += Math.Exp(value - max);
            for (int c = 0; c < v.Length; c++) y.Row(i)[c] = (float)(a.Log ? v[c] - max - Math.Log(sum) : Math.Exp(v[c] - max) / sum);
        }
    }
}
