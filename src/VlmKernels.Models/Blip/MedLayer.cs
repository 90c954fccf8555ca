using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>One block: x = norm(x + attention(x)), x = norm(x + cross(x)) where there is something to look at, x = norm(x + mlp(x)).</summary>
internal sealed class MedLayer
{
    private readonly SelfAttention _attention;
    private readonly LayerNorm _attentionNorm, _norm;
    private readonly IMedCross _cross;
    private readonly Mlp _mlp;
    private readonly int _index;
    private readonly string _selfStage, _crossStage, _outStage;

    public MedLayer(WeightNode w, TransformerConfig c, IMedCross cross, int index, string stage)
    {
        int width = c.HiddenSize;
        WeightNode self = w["attention"]["self"], output = w["attention"]["output"];
        var qkv = Linear.Join(self, width, ("query", width), ("key", width), ("value", width));
        _attention = new SelfAttention(qkv, new Linear(output["dense"], width, width), c.Heads);
        _attentionNorm = new LayerNorm(output["LayerNorm"], width, c.NormEpsilon);
        _cross = cross;
        _mlp = new Mlp(new Linear(w["intermediate"]["dense"], width, c.MlpSize), new Linear(w["output"]["dense"], c.MlpSize, width), c.Activation);
        _norm = new LayerNorm(w["output"]["LayerNorm"], width, c.NormEpsilon);
        _index = index;
        (_selfStage, _crossStage, _outStage) = (stage + ".self", stage + ".cross", stage + ".out");
    }

    /// <summary>Runs the block; x [batch, tokens, width] is updated in place, h is scratch of its shape.</summary>
    public void Apply(Session s, Tensor x, Tensor h, Mask mask, CrossStates cross)
    {
        _attentionNorm.Apply(s, _attention.Apply(s, x, mask, residual: x, into: h), into: x);
        s.Tap(_selfStage, _index, x);
        if (!cross.IsNone) _cross.Apply(s, x, h, cross);
        if (!cross.IsNone) s.Tap(_crossStage, _index, x);
        _norm.Apply(s, _mlp.Apply(s, x, residual: x, into: h), into: x);
        s.Tap(_outStage, _index, x);
    }
}
