using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// BLIP's encoders (Li et al. 2022): pictures, texts, and texts about pictures. Alone it is the feature extractor of the original project
/// (<c>BLIP_Base</c>). Immutable; sessions share it.
/// </summary>
public sealed class BlipEncoder
{
    private readonly MedTransformer _text;

    /// <summary>Loads the encoders.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_encoder</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipEncoder(WeightNode weights, BlipConfig config)
    {
        Config = config;
        Vision = new BlipVisionTower(weights["vision_model"], config.Vision);
        _text = new MedTransformer(weights["text_encoder"], config.Text, config.Vision.Block.HiddenSize, "enc");
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    public BlipVisionTower Vision { get; }

    /// <summary>Encodes texts, [CLS] first.</summary>
    /// <returns>[batch, length, text width]; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EncodeText(Session s, TextIds text) => _text.Forward(s, text);

    /// <summary>Encodes texts about pictures, [ENC] or [CLS] first as <see cref="BlipConfig.Conventions"/> say.</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The texts.</param>
    /// <param name="images">Encoded pictures [batch', tokens, vision width]; consecutive texts share one.</param>
    /// <returns>[batch, length, text width]; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EncodePairs(Session s, TextIds text, Tensor images) => _text.Forward(s, text, new CrossStates(images));
}
