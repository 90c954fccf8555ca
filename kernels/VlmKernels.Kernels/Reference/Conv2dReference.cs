namespace VlmKernels.Kernels;

/// <summary>y[b, i, j, o] = act(Σ x[b, i·stride + r − pad, j·stride + s − pad, c]·w[o, c, r, s] + bias[o] + residual); cells outside are 0.</summary>
internal static class Conv2dReference
{
    public static void Run(in ConvArgs a)
    {
        var weight = a.Weight.Matrix();
        int height = a.Y.Shape[1], width = a.Y.Shape[2];
        float[] window = new float[a.Weight.Inputs];
        double[] products = new double[a.Weight.Outputs];
        for (int row = 0; row < a.Y.Rows; row++)
        {
            Cut(a, row / (height * width), row / width % height, row % width, window);
            for (int o = 0; o < products.Length; o++) products[o] = Formulas.Dot(window, weight.Row(o));
            Formulas.Finish(products, a.Weight.Bias.Vector(), a.Epilogue, a.Y, row);
        }
    }

    /// <summary>The cells under one output cell, in the order of the kernel: channel, row, column.</summary>
    private static void Cut(in ConvArgs a, int picture, int i, int j, Span<float> window)
    {
        var x = a.X.Floats();
        int height = a.X.Shape[1], width = a.X.Shape[2], side = a.Stencil.Kernel;
        for (int r = 0; r < side; r++)
        {
            for (int s = 0; s < side; s++)
            {
                int top = (i * a.Stencil.Stride) + r - a.Stencil.PadBefore, left = (j * a.Stencil.Stride) + s - a.Stencil.PadBefore;
                bool inside = top >= 0 && top < height && left >= 0 && left < width;
                var cell = inside ? x.Row((((picture * height) + top) * width) + left) : default;
                for (int c = 0; c < x.Columns; c++) window[(((c * side) + r) * side) + s] = inside ? cell[c] : 0;
            }
        }
    }
}
