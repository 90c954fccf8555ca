namespace VlmKernels.Kernels;

/// <summary>y[YStart + g·YStride + c] = x[XStart + g·XStride + c], or x[index[g·Count + c]].</summary>
internal static class CopyRowsReference
{
    public static void Run(in CopyRowsArgs a)
    {
        MatrixView<byte> x = new(a.X), y = new(a.Y);
        for (int g = 0; g < a.Groups; g++)
        {
            for (int c = 0; c < a.Count; c++)
            {
                int from = a.Index.IsNone ? a.XStart + (g * a.XStride) + c : new MatrixView<int>(a.Index).Values[(g * a.Count) + c];
                if (from < 0 || from >= x.Rows) throw new ContractException($"CopyRows: rows of x {a.X.Shape} are 0 to {x.Rows - 1}, found {from} at index {(g * a.Count) + c}");
                x.Row(from).CopyTo(y.Row(a.YStart + (g * a.YStride) + c));
            }
        }
    }
}
