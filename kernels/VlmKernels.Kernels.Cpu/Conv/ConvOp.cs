namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.Conv2d"/>: windows as rows of a product; a 1×1 convolution without stride is a linear layer.</summary>
internal static unsafe class ConvOp
{
    public static void Run(CpuQueue q, in ConvArgs a)
    {
        var weight = q.Own(a.Weight);
        var output = LinearOp.Output(a.Y, weight, a.Epilogue);
        float* x = CpuStorage.Floats(a.X);
        if (a.Stencil is { Kernel: 1, Stride: 1, PadBefore: 0, PadAfter: 0 }) Gemm.Run(q, new DenseRows(x, a.X.Pitch), a.X.Rows, weight.Inputs, weight.Data, output);
        else Gemm.Run(q, new WindowRows(x, a.X.Shape[1], a.X.Shape[2], a.X.Columns, a.Stencil), a.Y.Rows, weight.Inputs, weight.Data, output);
    }
}
