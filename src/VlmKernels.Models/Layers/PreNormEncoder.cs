using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>A transformer of pre-norm blocks over one residual stream (Dosovitskiy et al. 2021, Radford et al. 2021).</summary>
/// <param name="blocks">The blocks, first one first.</param>
/// <param name="attentionStage">Name under which the stream is shown behind each attention.</param>
/// <param name="blockStage">Name under which the stream is shown behind each block.</param>
public sealed class PreNormEncoder(PreNormBlock[] blocks, string attentionStage, string blockStage)
{
    /// <summary>Runs all blocks; x [batch, tokens, width] is updated in place.</summary>
    public void Apply(Session s, Tensor x, Mask mask)
    {
        using var mark = s.Mark();
        var h = s.Take(x.Shape);
        for (int i = 0; i < blocks.Length; i++)
        {
            blocks[i].Attend(s, x, h, mask);
            s.Tap(attentionStage, i, x);
            blocks[i].Transform(s, x, h);
            s.Tap(blockStage, i, x);
        }
    }
}

/// <summary>One block: x += attention(norm₁(x)); x += mlp(norm₂(x)).</summary>
/// <param name="norm1">In front of the attention.</param>
/// <param name="attention">The attention.</param>
/// <param name="norm2">In front of the MLP.</param>
/// <param name="mlp">The MLP.</param>
public sealed class PreNormBlock(LayerNorm norm1, SelfAttention attention, LayerNorm norm2, Mlp mlp)
{
    /// <summary>First half of the block; h is scratch of x's shape.</summary>
    public void Attend(Session s, Tensor x, Tensor h, Mask mask) => attention.Apply(s, norm1.Apply(s, x, into: h), mask, residual: x, into: x);

    /// <summary>Second half of the block; h is scratch of x's shape.</summary>
    public void Transform(Session s, Tensor x, Tensor h) => mlp.Apply(s, norm2.Apply(s, x, into: h), residual: x, into: x);
}
