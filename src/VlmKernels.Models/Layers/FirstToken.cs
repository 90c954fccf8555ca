using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>The first token of every sequence, which stands for the whole in BERT and most ViTs.</summary>
internal static class FirstToken
{
    /// <summary>Gathers it: [batch, width] of x [batch, tokens, width].</summary>
    public static Tensor Of(Session s, Tensor x)
    {
        var y = s.Take(x.Shape[0], x.Columns);
        s.Ops.CopyRows(new CopyRowsArgs(x, y, x.Shape[0], 1) { XStride = x.Shape[1], YStride = 1 });
        return y;
    }
}
