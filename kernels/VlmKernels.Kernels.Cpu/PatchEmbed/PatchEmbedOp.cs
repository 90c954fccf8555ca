namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.PatchEmbed"/>: patches as rows of a product whose residual is the position table.</summary>
internal static unsafe class PatchEmbedOp
{
    public static void Run(CpuQueue q, in PatchEmbedArgs a)
    {
        var weight = q.Own(a.Weight);
        int batch = a.Pixels.Shape[0], classRows = a.ClassToken.IsNone ? 0 : 1, tokens = a.Y.Shape[1];
        var grid = new PatchGrid(a.Pixels.Shape[1], a.Pixels.Shape[2], a.Patch);
        var positions = a.Positions.IsNone ? default : a.Positions.SliceRows(classRows, grid.PerPicture);
        var output = LinearOp.Output(a.Y, weight, new Epilogue(Activation.None, positions)) with { Group = grid.PerPicture, GroupStride = tokens };
        output.Y += classRows * (nint)a.Y.Pitch;
        int rows = batch * grid.PerPicture;
        if (a.Pixels.Type == DType.U8) Gemm.Run(q, new BytePatchRows(CpuStorage.Address(a.Pixels), CpuStorage.Floats(a.ByteTable), grid), rows, weight.Inputs, weight.Data, output);
        else Gemm.Run(q, new FloatPatchRows(CpuStorage.Floats(a.Pixels), grid), rows, weight.Inputs, weight.Data, output);
        if (classRows > 0) WriteClassTokens(a, batch, tokens);
    }

    private static void WriteClassTokens(in PatchEmbedArgs a, int batch, int tokens)
    {
        int width = a.Y.Columns;
        float* token = CpuStorage.Floats(a.ClassToken), position = CpuStorage.Floats(a.Positions);
        for (int b = 0; b < batch; b++)
        {
            float* y = CpuStorage.Floats(a.Y) + ((long)b * tokens * a.Y.Pitch);
            for (int i = 0; i < width; i++) y[i] = position is null ? token[i] : token[i] + position[i];
        }
    }
}
