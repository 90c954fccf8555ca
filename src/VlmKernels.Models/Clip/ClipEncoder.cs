using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>The transformer of either tower of CLIP (Radford et al. 2021), names of the HF checkpoint.</summary>
internal static class ClipEncoder
{
    /// <summary>Loads the layers.</summary>
    /// <param name="w">Holds <c>0</c>, <c>1</c>, …</param>
    /// <param name="c">Sizes.</param>
    /// <param name="attentionStage">Name under which the stream is shown behind each attention.</param>
    /// <param name="blockStage">Name under which the stream is shown behind each block.</param>
    public static PreNormEncoder Load(WeightNode w, TransformerConfig c, string attentionStage, string blockStage)
    {
        var layers = new PreNormBlock[c.Layers];
        for (int i = 0; i < c.Layers; i++) layers[i] = Layer(w[i], c);
        return new PreNormEncoder(layers, attentionStage, blockStage);
    }

    private static PreNormBlock Layer(WeightNode w, TransformerConfig c)
    {
        int width = c.HiddenSize;
        WeightNode attention = w["self_attn"], mlp = w["mlp"];
        var norm1 = new LayerNorm(w["layer_norm1"], width, c.NormEpsilon);
        var qkv = Linear.Join(attention, width, ("q_proj", width), ("k_proj", width), ("v_proj", width));
        var output = new Linear(attention["out_proj"], width, width);
        var norm2 = new LayerNorm(w["layer_norm2"], width, c.NormEpsilon);
        return new PreNormBlock(norm1, new SelfAttention(qkv, output, c.Heads), norm2, new Mlp(new Linear(mlp["fc1"], width, c.MlpSize), new Linear(mlp["fc2"], c.MlpSize, width), c.Activation));
    }
}
