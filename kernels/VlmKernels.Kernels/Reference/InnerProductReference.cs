namespace VlmKernels.Kernels;

/// <summary>y[i, j] = Σₖ x[i, k]·rows[j, k].</summary>
internal static class InnerProductReference
{
    public static void Run(in InnerProductArgs a)
    {
        MatrixView<float> x = a.X.Floats(), y = a.Y.Floats();
        float[] row = new float[a.Rows.Columns];
        for (int j = 0; j < a.Rows.Rows; j++)
        {
            Read(a.Rows, j, row);
            for (int i = 0; i < x.Rows; i++) y.Row(i)[j] = (float)Formulas.Dot(x.Row(i), row);
        }
    }

    private static void Read(Tensor rows, int index, Span<float> into)
    {
        if (rows.Type == DType.F32)
        {
            rows.Floats().Row(index).CopyTo(into);
            return;
        }
        var halves = new MatrixView<Half>(rows).Row(index);
        for (int k = 0; k < into.Length; k++) into[k] = (float)halves[k];
    }
}
