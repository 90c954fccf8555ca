namespace VlmKernels.Kernels;

/// <summary>y[g] = Σ or mean of rows g·n … (g + 1)·n of x.</summary>
internal static class ReduceReference
{
    public static void Run(in ReduceArgs a)
    {
        MatrixView<float> x = a.X.Floats(), y = a.Y.Floats();
        int count = x.Rows / y.Rows;
        for (int g = 0; g < y.Rows; g++)
        {
            for (int c = 0; c < y.Columns; c++)
            {
                double sum = 0;
                for (int i = 0; i < count; i++) sum += x.Row((g * count) + i)[c];
                y.Row(g)[c] = (float)(a.Kind == ReduceKind.Mean ? sum / count : sum);
            }
        }
    }
}
