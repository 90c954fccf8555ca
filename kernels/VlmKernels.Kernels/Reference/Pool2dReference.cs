namespace VlmKernels.Kernels;

/// <summary>y[b, i, j, c] = maximum or average over the cells of the window that exist.</summary>
internal static class Pool2dReference
{
    public static void Run(in PoolArgs a)
    {
        MatrixView<float> x = a.X.Floats(), y = a.Y.Floats();
        int height = a.Y.Shape[1], width = a.Y.Shape[2];
        for (int row = 0; row < y.Rows; row++)
        {
            var (top, bottom) = Cells(row / width % height, a.X.Shape[1], a.Stencil);
            var (left, right) = Cells(row % width, a.X.Shape[2], a.Stencil);
            int picture = row / (height * width) * a.X.Shape[1];
            for (int c = 0; c < y.Columns; c++)
            {
                double sum = 0, max = double.NegativeInfinity;
                for (int i = top; i < bottom; i++)
                {
                    for (int j = left; j < right; j++)
                    {
                        float value = x.Row(((picture + i) * a.X.Shape[2]) + j)[c];
                        (sum, max) = (sum + value, Math.Max(max, value));
                    }
                }
                y.Row(row)[c] = (float)(a.Kind == PoolKind.Max ? max : sum / ((bottom - top) * (right - left)));
            }
        }
    }

    private static (int First, int End) Cells(int window, int extent, Stencil s)
    {
        int first = (window * s.Stride) - s.PadBefore;
        return (Math.Max(first, 0), Math.Min(first + s.Kernel, extent));
    }
}
