using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Tokens of another model that a text looks at: a picture's, a question's.</summary>
/// <param name="Tokens">[batch', tokens, width]; batch' divides the batch of the texts, consecutive texts share.</param>
/// <param name="Valid">[batch', tokens] U: tokens with 0 are hidden; none: all count.</param>
public readonly record struct CrossStates(Tensor Tokens, Tensor Valid = default)
{
    /// <summary>True for <c>default</c>: the text looks at nothing but itself.</summary>
    public bool IsNone => Tokens.IsNone;
}

/// <summary>Multi-head attention (Vaswani et al. 2017) whose keys and values come from other tokens, of another width perhaps. What follows it is not part of it.</summary>
/// <param name="query">Width → width.</param>
/// <param name="keyValue">Width of the other tokens → 2 · width: key, value.</param>
/// <param name="heads">Number of heads.</param>
public sealed class CrossAttention(Linear query, Linear keyValue, int heads)
{
    /// <summary>Applies the layer.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[batch, n, width].</param>
    /// <param name="cross">What is looked at.</param>
    /// <returns>[batch, n, width].</returns>
    public Tensor Apply(Session s, Tensor x, CrossStates cross)
    {
        var y = s.Take(x.Shape);
        using var mark = s.Mark();
        int width = x.Columns;
        var p = keyValue.Apply(s, cross.Tokens);
        var q = query.Apply(s, x);
        s.Ops.Attention(new AttentionArgs(q, p.SliceColumns(0, width), p.SliceColumns(width, width), y, heads) { Mask = new Mask { KeyValid = cross.Valid } });
        return y;
    }

    /// <summary>Keeps the keys and values of what all tokens of a request look at.</summary>
    /// <param name="s">The session.</param>
    /// <param name="tokens">[prompts, tokens, width].</param>
    /// <param name="state">The request, whose next layer this is.</param>
    public void Remember(Session s, Tensor tokens, DecodeState state)
    {
        using var mark = s.Mark();
        var p = keyValue.Apply(s, tokens);
        int width = p.Columns / 2;
        var cache = s.CreateKvCache(tokens.Shape[0], tokens.Shape[1], heads, width / heads);
        state.AddCross(cache);
        s.Ops.AppendKv(new AppendKvArgs(cache, p.SliceColumns(0, width), p.SliceColumns(width, width)));
    }

    /// <summary>Applies the layer to new tokens [rows, n, width] of a request.</summary>
    public Tensor Continue(Session s, Tensor x, DecodeState state, int layer)
    {
        var y = s.Take(x.Shape);
        using var mark = s.Mark();
        state.AttendCross(s, layer, query.Apply(s, x), y);
        return y;
    }
}
