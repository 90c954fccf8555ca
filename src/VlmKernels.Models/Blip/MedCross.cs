using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>How a layer of the text transformer looks at other tokens.</summary>
internal interface IMedCross
{
    /// <summary>x = norm(x + what was seen); h is scratch of x's shape.</summary>
    void Apply(Session s, Tensor x, Tensor h, in MedPass pass, int layer);

    /// <summary>Keeps the keys and values of what a request looks at, [prompts, tokens, width].</summary>
    void Remember(Session s, Tensor tokens, DecodeState state);
}

/// <summary>One attention over one picture's, or one question's, tokens.</summary>
internal sealed class MedCross : IMedCross
{
    private readonly CrossAttention _attention;
    private readonly Linear _output;
    private readonly LayerNorm _norm;

    public MedCross(WeightNode w, TransformerConfig c, int crossWidth)
    {
        _attention = Attention(w["self"], c, crossWidth);
        _output = new Linear(w["output"]["dense"], c.HiddenSize, c.HiddenSize);
        _norm = new LayerNorm(w["output"]["LayerNorm"], c.HiddenSize, c.NormEpsilon);
    }

    public static CrossAttention Attention(WeightNode w, TransformerConfig c, int crossWidth)
    {
        int width = c.HiddenSize;
        return new CrossAttention(new Linear(w["query"], width, width), Linear.Join(w, crossWidth, ("key", width), ("value", width)), c.Heads);
    }

    public void Apply(Session s, Tensor x, Tensor h, in MedPass pass, int layer)
    {
        using var mark = s.Mark();
        var seen = pass.State is { } state ? _attention.Continue(s, x, state, layer) : _attention.Apply(s, x, pass.Cross);
        _norm.Apply(s, _output.Apply(s, seen, residual: x, into: h), into: x);
    }

    public void Remember(Session s, Tensor tokens, DecodeState state) => _attention.Remember(s, tokens, state);
}

/// <summary>
/// Two attentions over the tokens of two pictures (salesforce/BLIP, <c>nlvr_encoder.py</c>). What they saw is averaged in the first six layers and
/// merged by a linear layer in the others.
/// </summary>
internal sealed class MedTwinCross : IMedCross
{
    /// <summary>The first layer that merges.</summary>
    public const int FirstMerging = 6;

    private readonly CrossAttention[] _attentions = new CrossAttention[2];
    private readonly Linear[] _outputs = new Linear[2];
    private readonly Linear? _merge;
    private readonly LayerNorm _norm;

    public MedTwinCross(WeightNode w, TransformerConfig c, int crossWidth, bool merges)
    {
        int width = c.HiddenSize;
        var output = w["output"];
        for (int i = 0; i < 2; i++)
        {
            _attentions[i] = MedCross.Attention(w[$"self{i}"], c, crossWidth);
            var dense = output[$"dense{i}"];
            _outputs[i] = merges ? new Linear(dense, width, width) : Halved(dense, width);
        }
        _merge = merges ? new Linear(output["merge_layer"], 2 * width, width) : null;
        _norm = new LayerNorm(output["LayerNorm"], width, c.NormEpsilon);
    }

    /// <summary>Looks at the first half of the states with one attention and at the second half with the other.</summary>
    public void Apply(Session s, Tensor x, Tensor h, in MedPass pass, int layer)
    {
        using var mark = s.Mark();
        var (cross, width) = (pass.Cross, x.Columns);
        if (_merge is null)
        {
            var first = _outputs[0].Apply(s, _attentions[0].Apply(s, x, Part(cross, 0)), residual: x);
            _outputs[1].Apply(s, _attentions[1].Apply(s, x, Part(cross, 1)), residual: first, into: h);
        }
        else
        {
            var seen = s.Take(x.Shape.WithColumns(2 * width));
            for (int i = 0; i < 2; i++) _outputs[i].Apply(s, _attentions[i].Apply(s, x, Part(cross, i)), into: seen.SliceColumns(i * width, width));
            _merge.Apply(s, seen, residual: x, into: h);
        }
        _norm.Apply(s, h, into: x);
    }

    /// <summary>Statements about two pictures are judged, not written.</summary>
    public void Remember(Session s, Tensor tokens, DecodeState state) => throw new InvalidOperationException("a text about two pictures is not generated");

    /// <summary>A layer times one half: the average of two is the sum of their halves, without rounding.</summary>
    private static Linear Halved(WeightNode w, int width)
    {
        var factors = new double[width];
        Array.Fill(factors, 0.5);
        float[] bias = Array.ConvertAll(w.Values("bias", width), v => v / 2);
        return new Linear(w.Pack(WeightUse.Linear, new ScaledMatrix(w.Matrix("weight", width, width), factors), bias));
    }

    private static CrossStates Part(CrossStates cross, int half)
    {
        var all = cross.Tokens;
        int batch = all.Shape[0] / 2, tokens = all.Shape[1];
        return new CrossStates(all.SliceRows(half * batch * tokens, batch * tokens).Reshape(batch, tokens, all.Columns));
    }
}
