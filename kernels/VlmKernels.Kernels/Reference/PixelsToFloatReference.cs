namespace VlmKernels.Kernels;

/// <summary>y[.., c] = table[c, pixel[.., c]].</summary>
internal static class PixelsToFloatReference
{
    public static void Run(in PixelsArgs a)
    {
        var pixels = new MatrixView<byte>(a.Pixels);
        MatrixView<float> table = a.ByteTable.Floats(), y = a.Y.Floats();
        for (int i = 0; i < y.Rows; i++)
        {
            for (int c = 0; c < y.Columns; c++) y.Row(i)[c] = table.Row(c)[pixels.Row(i)[c]];
        }
    }
}
