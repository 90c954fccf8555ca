namespace VlmKernels.Kernels;

/// <summary>y[b, i, j] = scale · Σₖ x[b, i, k]·w[b, j, k]; one w may serve all batches.</summary>
internal static class MatMulReference
{
    public static void Run(in MatMulArgs a)
    {
        MatrixView<float> x = a.X.Floats(), w = a.W.Floats(), y = a.Y.Floats();
        bool shared = a.W.Shape.Rank < 3 || a.W.Shape[0] == 1;
        int rowsPerBatch = shared ? Math.Max(1, x.Rows) : a.X.Shape[1];
        for (int i = 0; i < x.Rows; i++)
        {
            int first = i / rowsPerBatch * y.Columns;
            for (int j = 0; j < y.Columns; j++) y.Row(i)[j] = (float)(a.Scale * Formulas.Dot(x.Row(i), w.Row(first + j)));
        }
    }
}
