using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// transformers' <c>BlipModel</c>: BLIP's encoders with poolers and projections like CLIP's. No trained weights of it are published.
/// Immutable; sessions share it.
/// </summary>
public sealed class BlipPair
{
    // e to more than this is no float; training stops at ln 100.
    private const float MostLogitScale = 88;

    private readonly MedTransformer _text;
    private readonly Linear _pooler, _imageProjection, _textProjection;

    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_model</c>, <c>visual_projection</c>, <c>text_projection</c>, <c>logit_scale</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipPair(WeightNode weights, BlipConfig config)
    {
        Config = config;
        int width = config.Text.Block.HiddenSize, visionWidth = config.Vision.Block.HiddenSize;
        Vision = new BlipVisionTower(weights["vision_model"], config.Vision);
        _text = new MedTransformer(weights["text_model"], config.Text, visionWidth, "txt");
        _pooler = new Linear(weights["text_model"]["pooler"]["dense"], width, width);
        _imageProjection = new Linear(weights["visual_projection"], visionWidth, config.ProjectionSize, bias: false);
        _textProjection = new Linear(weights["text_projection"], width, config.ProjectionSize, bias: false);
        LogitScale = MathF.Exp(weights.Scalar("logit_scale", MostLogitScale));
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    public BlipVisionTower Vision { get; }

    /// <summary>Factor between cosines and logits, e^<c>logit_scale</c>.</summary>
    public float LogitScale { get; }

    /// <summary>Embeds encoded pictures: [batch, projection size] F, not normalised.</summary>
    public Tensor EmbedImages(Session s, Tensor images)
    {
        var embedding = s.TakeFloat(images.Shape[0], Config.ProjectionSize);
        using var mark = s.Mark();
        return _imageProjection.Apply(s, Vision.Pool(s, images), into: embedding);
    }

    /// <summary>Embeds texts, alone or about encoded pictures: [batch, projection size] F, not normalised.</summary>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EmbedText(Session s, TextIds text, Tensor images = default)
    {
        var embedding = s.TakeFloat(text.Batch, Config.ProjectionSize);
        using var mark = s.Mark();
        var pooled = _pooler.Apply(s, FirstToken.Of(s, _text.Forward(s, text, new CrossStates(images))), Activation.Tanh);
        s.Tap("txt.pooler", -1, pooled);
        return _textProjection.Apply(s, pooled, into: embedding);
    }

    /// <summary>Scales every row of embeddings to length 1, in place.</summary>
    public static Tensor Normalize(Session s, Tensor embeddings) => UnitLength.Apply(s, embeddings, into: embeddings);
}
