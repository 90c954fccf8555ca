namespace VlmKernels.Kernels;

/// <summary>y[i, o] = act(Σₖ x[i, k]·w[o, k] + bias[o] + residual[i, o]).</summary>
internal static class LinearReference
{
    public static void Run(in LinearArgs a)
    {
        MatrixView<float> x = a.X.Floats(), weight = a.Weight.Matrix();
        double[] products = new double[a.Weight.Outputs];
        for (int i = 0; i < x.Rows; i++)
        {
            for (int o = 0; o < products.Length; o++) products[o] = Formulas.Dot(x.Row(i), weight.Row(o));
            Formulas.Finish(products, a.Weight.Bias.Vector(), a.Epilogue, a.Y, i);
        }
    }
}
