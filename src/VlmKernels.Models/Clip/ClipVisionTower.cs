using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>An image tower of CLIP: pixels to embeddings.</summary>
public interface IClipVisionTower
{
    /// <summary>Embeds pictures.</summary>
    /// <returns>[batch, projection size] F, not normalised; lies in the session's workspace.</returns>
    /// <exception cref="ContractException">The pictures have another size than the tower takes.</exception>
    Tensor Forward(Session s, Pixels pixels);
}

/// <summary>ViT image tower of CLIP (Radford et al. 2021), names of the HF checkpoint.</summary>
public sealed class ClipVisionTower : IClipVisionTower
{
    private readonly PatchEmbedding _embeddings;
    private readonly LayerNorm _preNorm, _postNorm;
    private readonly PreNormEncoder _encoder;
    private readonly Linear _projection;

    /// <summary>Loads the tower.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>visual_projection</c>.</param>
    /// <param name="c">Sizes.</param>
    public ClipVisionTower(WeightNode weights, ClipVisionConfig c)
    {
        int width = c.Block.HiddenSize;
        var vision = weights["vision_model"];
        var embeddings = vision["embeddings"];
        var positions = new GridPositions(embeddings["position_embedding"], "weight", c.ImageSize / c.PatchSize, width, c.Resizing);
        _embeddings = new PatchEmbedding(embeddings, positions, width, c.PatchSize, bias: false);
        _preNorm = new LayerNorm(vision["pre_layrnorm"], width, c.Block.NormEpsilon); // the spelling is the file's
        _encoder = ClipEncoder.Load(vision["encoder"]["layers"], c.Block, "vision.attention", "vision.block");
        _postNorm = new LayerNorm(vision["post_layernorm"], width, c.Block.NormEpsilon);
        _projection = new Linear(weights["visual_projection"], width, c.ProjectionSize, bias: false);
    }

    /// <inheritdoc/>
    public Tensor Forward(Session s, Pixels pixels)
    {
        var result = s.TakeFloat(pixels.Batch, _projection.Outputs);
        using var mark = s.Mark();
        var x = _embeddings.Apply(s, pixels);
        s.Tap("vision.embeddings", -1, x);
        _preNorm.Apply(s, x, into: x);
        s.Tap("vision.ln_pre", -1, x);
        _encoder.Apply(s, x, mask: default);
        var pooled = FirstToken.Of(s, x);
        _postNorm.Apply(s, pooled, into: pooled);
        s.Tap("vision.pooled", -1, pooled);
        return _projection.Apply(s, pooled, into: result);
    }
}
