namespace VlmKernels.Kernels.Cpu;

/// <summary>Arguments of <see cref="IOps.Linear"/> and <see cref="IOps.MatMul"/> to one product.</summary>
internal static unsafe class LinearOp
{
    public static void Run(CpuQueue q, in LinearArgs a)
    {
        var weight = q.Own(a.Weight);
        var output = Output(a.Y, weight, a.Epilogue);
        Gemm.Run(q, new DenseRows(CpuStorage.Floats(a.X), a.X.Pitch), a.X.Rows, weight.Inputs, weight.Data, output);
    }

    /// <summary>The output of a product with a packed weight.</summary>
    public static GemmOutput Output(Tensor y, PanelWeight weight, Epilogue epilogue) => new()
    {
        Y = CpuStorage.Floats(y),
        PitchY = y.Pitch,
        Columns = weight.Outputs,
        Bias = CpuStorage.Floats(weight.Bias),
        Residual = CpuStorage.Floats(epilogue.Residual),
        PitchResidual = epilogue.Residual.Pitch,
        Activation = epilogue.Activation,
        Scale = 1,
    };
}
