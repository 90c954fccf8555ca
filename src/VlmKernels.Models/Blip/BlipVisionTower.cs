using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>ViT image tower of BLIP (Li et al. 2022), names of the HF checkpoint: pixels to tokens.</summary>
public sealed class BlipVisionTower
{
    private readonly PatchEmbedding _embeddings;
    private readonly PreNormEncoder _encoder;
    private readonly LayerNorm _postNorm;

    /// <summary>Loads the tower.</summary>
    /// <param name="w">The node <c>vision_model</c>.</param>
    /// <param name="c">Sizes.</param>
    public BlipVisionTower(WeightNode w, BlipVisionConfig c)
    {
        int width = c.Block.HiddenSize;
        var embeddings = w["embeddings"];
        var positions = new GridPositions(embeddings, "position_embedding", c.ImageSize / c.PatchSize, width, c.Resizing);
        _embeddings = new PatchEmbedding(embeddings, positions, width, c.PatchSize, bias: true);
        var layers = new PreNormBlock[c.Block.Layers];
        for (int i = 0; i < layers.Length; i++) layers[i] = Layer(w["encoder"]["layers"][i], c.Block);
        _encoder = new PreNormEncoder(layers, "vis.attention", "vis.block");
        _postNorm = new LayerNorm(w["post_layernorm"], width, c.Block.NormEpsilon);
    }

    /// <summary>Encodes pictures.</summary>
    /// <returns>[batch, 1 + patches, width], the class token first; lies in the session's workspace.</returns>
    /// <exception cref="ContractException">The pictures have another size than the tower takes.</exception>
    public Tensor Forward(Session s, Pixels pixels)
    {
        var x = _embeddings.Apply(s, pixels);
        s.Tap("vis.embeddings", -1, x);
        _encoder.Apply(s, x, mask: default);
        return _postNorm.Apply(s, x, into: x);
    }

    /// <summary>The class token's row of encoded pictures, normalised once more as transformers' <c>pooler_output</c> is: [batch, width].</summary>
    public Tensor Pool(Session s, Tensor tokens)
    {
        var pooled = FirstToken.Of(s, tokens);
        return _postNorm.Apply(s, pooled, into: pooled);
    }

    /// <summary>Some of the encoded pictures, in the order of their indices, which may repeat.</summary>
    /// <returns>[indices, tokens, width] in the session's workspace.</returns>
    public static Tensor Pick(Session s, Tensor images, IReadOnlyList<int> which)
    {
        int tokens = images.Shape[1];
        var picked = s.Take(which.Count, tokens, images.Columns);
        for (int i = 0; i < which.Count; i++) s.Ops.CopyRows(CopyRowsArgs.All(images.SliceRows(which[i] * tokens, tokens), picked.SliceRows(i * tokens, tokens)));
        return picked;
    }

    private static PreNormBlock Layer(WeightNode w, TransformerConfig c)
    {
        int width = c.HiddenSize;
        WeightNode attention = w["self_attn"], mlp = w["mlp"];
        var norm1 = new LayerNorm(w["layer_norm1"], width, c.NormEpsilon);
        var self = new SelfAttention(new Linear(attention["qkv"], width, 3 * width), new Linear(attention["projection"], width, width), c.Heads);
        var norm2 = new LayerNorm(w["layer_norm2"], width, c.NormEpsilon);
        return new PreNormBlock(norm1, self, norm2, new Mlp(new Linear(mlp["fc1"], width, c.MlpSize), new Linear(mlp["fc2"], c.MlpSize, width), c.Activation));
    }
}
