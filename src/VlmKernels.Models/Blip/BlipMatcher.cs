using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// BLIP that says how well a text fits a picture (Li et al. 2022; <c>BLIP_ITM</c>, <c>BlipForImageTextRetrieval</c>): by the cosine of two embeddings
/// (ITC), and by reading the text together with the picture (ITM). Immutable; sessions share it.
/// </summary>
public sealed class BlipMatcher
{
    /// <summary>Index of the logit that says that text and picture match; the other one says that they don't.</summary>
    public const int Match = 1;

    /// <summary>Tokens to which the original cuts and fills texts that it compares.</summary>
    public const int TextLength = 35;

    private readonly Linear _imageProjection, _textProjection, _matchHead;

    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_encoder</c>, <c>vision_proj</c>, <c>text_proj</c>, <c>itm_head</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipMatcher(WeightNode weights, BlipConfig config)
    {
        Encoder = new BlipEncoder(weights, config);
        int width = config.Text.Block.HiddenSize;
        _imageProjection = new Linear(weights["vision_proj"], config.Vision.Block.HiddenSize, config.MatchSize);
        _textProjection = new Linear(weights["text_proj"], width, config.MatchSize);
        _matchHead = new Linear(weights["itm_head"], width, 2);
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config => Encoder.Config;

    /// <summary>The encoders.</summary>
    public BlipEncoder Encoder { get; }

    /// <summary>Embeds encoded pictures: [batch, match size] F of length 1.</summary>
    /// <param name="s">The session.</param>
    /// <param name="images">[batch, tokens, vision width].</param>
    public Tensor EmbedImages(Session s, Tensor images)
    {
        var embedding = s.TakeFloat(images.Shape[0], Config.MatchSize);
        using var mark = s.Mark();
        _imageProjection.Apply(s, FirstToken.Of(s, images), into: embedding);
        return UnitLength.Apply(s, embedding, into: embedding);
    }

    /// <summary>Embeds videos by the mean of their frames' projections: [batch, match size] F of length 1.</summary>
    /// <param name="s">The session.</param>
    /// <param name="frames">[batch · frames per video, tokens, vision width], video after video.</param>
    /// <param name="framesPerVideo">Frames per video.</param>
    public Tensor EmbedVideos(Session s, Tensor frames, int framesPerVideo)
    {
        var embedding = s.TakeFloat(frames.Shape[0] / framesPerVideo, Config.MatchSize);
        using var mark = s.Mark();
        s.Ops.Reduce(new ReduceArgs(_imageProjection.Apply(s, FirstToken.Of(s, frames)), embedding, ReduceKind.Mean));
        return UnitLength.Apply(s, embedding, into: embedding);
    }

    /// <summary>Embeds texts, [CLS] first: [batch, match size] F of length 1.</summary>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EmbedText(Session s, TextIds text)
    {
        var embedding = s.TakeFloat(text.Batch, Config.MatchSize);
        using var mark = s.Mark();
        _textProjection.Apply(s, FirstToken.Of(s, Encoder.EncodeText(s, text)), into: embedding);
        return UnitLength.Apply(s, embedding, into: embedding);
    }

    /// <summary>Cosines between embeddings a [m, match size] and b [n, match size]: [m, n] F, without the temperature of training.</summary>
    public static Tensor Similarity(Session s, Tensor a, Tensor b)
    {
        var similarity = s.TakeFloat(a.Shape[0], b.Shape[0]);
        s.Ops.MatMul(new MatMulArgs(a, b, similarity));
        return similarity;
    }

    /// <summary>Reads texts together with pictures, [ENC] or [CLS] first as <see cref="BlipConfig.Conventions"/> say.</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The texts.</param>
    /// <param name="images">[batch', tokens, vision width]; batch' divides the batch, consecutive texts share. The frames of a video are one row of tokens.</param>
    /// <returns>[batch, 2] F, logits; see <see cref="Match"/>.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor MatchLogits(Session s, TextIds text, Tensor images)
    {
        var logits = s.TakeFloat(text.Batch, 2);
        using var mark = s.Mark();
        return _matchHead.Apply(s, FirstToken.Of(s, Encoder.EncodePairs(s, text, images)), into: logits);
    }
}
