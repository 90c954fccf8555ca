using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>BLIP that says whether a statement about two pictures is true (NLVR2; salesforce/BLIP, <c>blip_nlvr.py</c>). Immutable; sessions share it.</summary>
public sealed class BlipNlvr
{
    /// <summary>Index of the logit that says that the statement is true.</summary>
    public const int True = 1;

    private readonly MedTransformer _text;
    private readonly Linear _hidden, _head;

    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_encoder</c>, <c>cls_head</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipNlvr(WeightNode weights, BlipConfig config)
    {
        Config = config;
        int width = config.Text.Block.HiddenSize;
        Vision = new BlipVisionTower(weights["vision_model"], config.Vision);
        _text = new MedTransformer(weights["text_encoder"], config.Text, config.Vision.Block.HiddenSize, "enc", looksAtTwo: true);
        _hidden = new Linear(weights["cls_head"][0], width, width);
        _head = new Linear(weights["cls_head"][2], width, 2);
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    public BlipVisionTower Vision { get; }

    /// <summary>Judges statements, [ENC] first.</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The statements.</param>
    /// <param name="images">[2 · batch, tokens, vision width]: the left pictures of all statements, then the right ones.</param>
    /// <returns>[batch, 2] F, logits; see <see cref="True"/>.</returns>
    /// <exception cref="ArgumentException">There are not two pictures per statement, the number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor Judge(Session s, TextIds text, Tensor images)
    {
        if (images.Shape[0] != 2 * text.Batch) throw new ArgumentException($"expected two pictures for each of {text.Batch} statements, found {images.Shape[0]}", nameof(images));
        var logits = s.TakeFloat(text.Batch, 2);
        using var mark = s.Mark();
        var x = _text.Forward(s, text, new CrossStates(images));
        return _head.Apply(s, _hidden.Apply(s, FirstToken.Of(s, x), Activation.Relu), into: logits);
    }
}
