using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Multi-head self-attention (Vaswani et al. 2017) with query, key and value as one product.</summary>
/// <param name="qkv">Width → 3 · width: query, key, value.</param>
/// <param name="output">Width → width.</param>
/// <param name="heads">Number of heads.</param>
public sealed class SelfAttention(Linear qkv, Linear output, int heads)
{
    /// <summary>Applies the layer.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[batch, tokens, width].</param>
    /// <param name="mask">Which keys a query sees.</param>
    /// <param name="residual">Added to the result; none: nothing is added.</param>
    /// <param name="into">Receives the result; none: a new tensor.</param>
    public Tensor Apply(Session s, Tensor x, Mask mask, Tensor residual = default, Tensor into = default)
    {
        var y = into.IsNone ? s.Take(x.Shape) : into;
        using var mark = s.Mark();
        int width = x.Columns;
        var p = qkv.Apply(s, x);
        var mixed = s.Take(x.Shape);
        s.Ops.Attention(new AttentionArgs(p.SliceColumns(0, width), p.SliceColumns(width, width), p.SliceColumns(2 * width, width), mixed, heads) { Mask = mask });
        return output.Apply(s, mixed, residual: residual, into: y);
    }

    /// <summary>Applies the layer to new tokens of a request, whose keys and values it keeps.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[rows, tokens, width].</param>
    /// <param name="state">The request.</param>
    /// <param name="layer">Number of the layer in it.</param>
    /// <param name="residual">Added to the result; none: nothing is added.</param>
    /// <param name="into">Receives the result; none: a new tensor.</param>
    public Tensor Continue(Session s, Tensor x, DecodeState state, int layer, Tensor residual = default, Tensor into = default)
    {
        var y = into.IsNone ? s.Take(x.Shape) : into;
        using var mark = s.Mark();
        var p = qkv.Apply(s, x);
        var mixed = s.Take(x.Shape);
        state.Attend(s, layer, p, mixed);
        return output.Apply(s, mixed, residual: residual, into: y);
    }
}
