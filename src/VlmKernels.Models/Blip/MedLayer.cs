using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>What a pass of the text transformer goes by.</summary>
/// <param name="Mask">Which tokens of the text a token sees; unused with a state.</param>
/// <param name="Cross">What the text is about; none: nothing.</param>
/// <param name="State">A request whose tokens these are, with all that lies before them and all that they look at; null: the text is complete.</param>
internal readonly record struct MedPass(Mask Mask, CrossStates Cross, DecodeState? State = null)
{
    public bool Looks => State is not null || !Cross.IsNone;
}

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
    public void Apply(Session s, Tensor x, Tensor h, in MedPass pass)
    {
        if (pass.State is { } state) _attention.Continue(s, x, state, _index, residual: x, into: h);
        else _attention.Apply(s, x, pass.Mask, residual: x, into: h);
        _attentionNorm.Apply(s, h, into: x);
        s.Tap(_selfStage, _index, x);
        if (pass.Looks)
        {
            _cross.Apply(s, x, h, pass, _index);
            s.Tap(_crossStage, _index, x);
        }
        _norm.Apply(s, _mlp.Apply(s, x, residual: x, into: h), into: x);
        s.Tap(_outStage, _index, x);
    }

    /// <summary>Keeps the keys and values of what a request looks at, [prompts, tokens, width].</summary>
    public void Remember(Session s, Tensor tokens, DecodeState state) => _cross.Remember(s, tokens, state);
}
