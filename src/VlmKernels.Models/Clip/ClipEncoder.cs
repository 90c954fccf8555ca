using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>The transformer of either tower of CLIP (Radford et al. 2021): pre-norm blocks over one residual stream.</summary>
public sealed class ClipEncoder
{
    private readonly ClipLayer[] _layers;
    private readonly string _attentionStage, _blockStage;

    /// <summary>Loads the layers.</summary>
    /// <param name="w">Holds <c>0</c>, <c>1</c>, …</param>
    /// <param name="c">Sizes.</param>
    /// <param name="attentionStage">Name under which the stream is shown behind each attention.</param>
    /// <param name="blockStage">Name under which the stream is shown behind each block.</param>
    public ClipEncoder(WeightNode w, ClipBlockConfig c, string attentionStage, string blockStage)
    {
        (_attentionStage, _blockStage) = (attentionStage, blockStage);
        _layers = new ClipLayer[c.Layers];
        for (int i = 0; i < c.Layers; i++) _layers[i] = new ClipLayer(w[i], c);
    }

    /// <summary>Runs all blocks; x [batch, tokens, width] is updated in place.</summary>
    public void Apply(Session s, Tensor x, Mask mask)
    {
        using var mark = s.Mark();
        var h = s.Take(x.Shape);
        for (int i = 0; i < _layers.Length; i++)
        {
            _layers[i].Attend(s, x, h, mask);
            s.Tap(_attentionStage, i, x);
            _layers[i].Transform(s, x, h);
            s.Tap(_blockStage, i, x);
        }
    }
}

/// <summary>One block: x += attention(norm₁(x)); x += mlp(norm₂(x)). Names of the HF checkpoint.</summary>
public sealed class ClipLayer
{
    private readonly LayerNorm _norm1, _norm2;
    private readonly SelfAttention _attention;
    private readonly Mlp _mlp;

    /// <summary>Loads the block.</summary>
    public ClipLayer(WeightNode w, ClipBlockConfig c)
    {
        int width = c.HiddenSize;
        WeightNode attention = w["self_attn"], mlp = w["mlp"];
        _norm1 = new LayerNorm(w["layer_norm1"], width, c.NormEpsilon);
        _attention = new SelfAttention(
            Linear.Join(attention, width, ("q_proj", width), ("k_proj", width), ("v_proj", width)), new Linear(attention["out_proj"], width, width), c.Heads);
        _norm2 = new LayerNorm(w["layer_norm2"], width, c.NormEpsilon);
        _mlp = new Mlp(new Linear(mlp["fc1"], width, c.MlpSize), new Linear(mlp["fc2"], c.MlpSize, width), c.Activation);
    }

    /// <summary>First half of the block; h is scratch of x's shape.</summary>
    public void Attend(Session s, Tensor x, Tensor h, Mask mask) => _attention.Apply(s, _norm1.Apply(s, x, into: h), mask, residual: x, into: x);

    /// <summary>Second half of the block; h is scratch of x's shape.</summary>
    public void Transform(Session s, Tensor x, Tensor h) => _mlp.Apply(s, _norm2.Apply(s, x, into: h), residual: x, into: x);
}
