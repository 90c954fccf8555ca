namespace VlmKernels.Kernels;

/// <summary>Token of patch p: Σ pixel·w + bias + positions[token]; token 0 is the class token when there is one.</summary>
internal static class PatchEmbedReference
{
    public static void Run(in PatchEmbedArgs a)
    {
        var weight = a.Weight.Matrix();
        var classToken = a.ClassToken.Vector();
        int across = a.Pixels.Shape[2] / a.Patch, tokens = a.Y.Shape[1], first = classToken.IsEmpty ? 0 : 1;
        float[] patch = new float[a.Weight.Inputs];
        double[] values = new double[a.Weight.Outputs];
        for (int row = 0; row < a.Y.Rows; row++)
        {
            int picture = row / tokens, token = row % tokens;
            if (token >= first) Cut(a, picture, (token - first) / across, (token - first) % across, patch);
            for (int o = 0; o < values.Length; o++) values[o] = token < first ? classToken[o] : Formulas.Dot(patch, weight.Row(o));
            var positions = a.Positions.RowOrNone(token);
            for (int o = 0; o < positions.Length; o++) values[o] += positions[o];
            Formulas.Finish(values, token < first ? [] : a.Weight.Bias.Vector(), default, a.Y, row);
        }
    }

    /// <summary>The pixels of one patch in the order of the kernel: channel, row, column.</summary>
    private static void Cut(in PatchEmbedArgs a, int picture, int down, int across, Span<float> patch)
    {
        int side = a.Patch;
        for (int r = 0; r < side; r++)
        {
            for (int s = 0; s < side; s++)
            {
                int row = (((picture * a.Pixels.Shape[1]) + (down * side) + r) * a.Pixels.Shape[2]) + (across * side) + s;
                for (int c = 0; c < 3; c++) patch[(((c * side) + r) * side) + s] = Value(a, row, c);
            }
        }
    }

    private static float Value(in PatchEmbedArgs a, int row, int channel) => a.Pixels.Type == DType.U8
        ? a.ByteTable.Floats().Row(channel)[new MatrixView<byte>(a.Pixels).Row(row)[channel]]
        : a.Pixels.Floats().Row(row)[channel];
}
