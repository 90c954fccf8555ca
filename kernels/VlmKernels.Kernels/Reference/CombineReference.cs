namespace VlmKernels.Kernels;

/// <summary>y[i] = a[i] + b[i mod r] or a[i] ⊙ b[i mod r].</summary>
internal static class CombineReference
{
    public static void Run(in CombineArgs args)
    {
        MatrixView<float> a = args.A.Floats(), b = args.B.Floats(), y = args.Y.Floats();
        for (int i = 0; i < a.Rows; i++)
        {
            Span<float> left = a.Row(i), right = b.Row(i % b.Rows), result = y.Row(i);
            for (int c = 0; c < result.Length; c++) result[c] = args.Kind == CombineKind.Add ? left[c] + right[c] : left[c] * right[c];
        }
    }
}
