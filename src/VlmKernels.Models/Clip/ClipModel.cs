using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// CLIP (Radford et al. 2021): an image tower and a text tower into one space, where cosine says how well a text fits a picture.
/// Either tower may be absent. Immutable; sessions share it.
/// </summary>
public sealed class ClipModel
{
    // e to more than this is no float; training stops at ln 100.
    private const float MostLogitScale = 88;

    private readonly IClipVisionTower? _vision;
    private readonly ClipTextTower? _text;
    private readonly Tensor _logitBias;

    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree, under the names of the HF checkpoint (the ResNets' image tower: openai/CLIP).</param>
    /// <param name="config">Sizes; towers that it lacks are not loaded.</param>
    public ClipModel(WeightNode weights, ClipConfig config)
    {
        Config = config;
        if (config.Vision is not null) _vision = new ClipVisionTower(weights, config.Vision);
        if (config.ResNet is not null) _vision = new ClipResNetTower(weights, config.ResNet);
        if (config.Text is not null) _text = new ClipTextTower(weights, config.Text);
        bool compares = _vision is not null && _text is not null;
        LogitScale = compares || weights.Has("logit_scale") ? MathF.Exp(weights.Scalar("logit_scale", MostLogitScale)) : 1;
        if (!weights.Has("logit_bias")) return;
        LogitBias = weights.Scalar("logit_bias");
        _logitBias = weights.Upload([LogitBias], new Shape(1, 1));
    }

    /// <summary>Sizes and rules of the model.</summary>
    public ClipConfig Config { get; }

    /// <summary>True when the model embeds pictures.</summary>
    public bool HasVision => _vision is not null;

    /// <summary>True when the model embeds texts.</summary>
    public bool HasText => _text is not null;

    /// <summary>Factor between cosines and logits, e^<c>logit_scale</c>; about 100 when trained.</summary>
    public float LogitScale { get; }

    /// <summary>Added to every logit; 0 for most checkpoints.</summary>
    public float LogitBias { get; }

    /// <summary>Embeds pictures.</summary>
    /// <returns>[batch, projection size] F, not normalised; lies in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    /// <exception cref="ContractException">The pictures have another size than the model takes.</exception>
    public Tensor EncodeImages(Session s, Pixels pixels)
        => (_vision ?? throw new InvalidOperationException("this checkpoint has no image tower")).Forward(s, pixels);

    /// <summary>Embeds texts, see <see cref="ClipTextTower.Forward"/>.</summary>
    /// <returns>[batch, projection size] F, not normalised; lies in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint has no text tower.</exception>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EncodeText(Session s, ReadOnlySpan<int> ids, int batch, int length, ReadOnlySpan<byte> attentionMask = default)
        => (_text ?? throw new InvalidOperationException("this checkpoint has no text tower")).Forward(s, ids, batch, length, attentionMask);

    /// <summary>Scales every row of features [n, projection size] to length 1.</summary>
    /// <param name="s">The session.</param>
    /// <param name="features">The rows.</param>
    /// <param name="into">Receives the result, may be <paramref name="features"/>; none: a new tensor.</param>
    public static Tensor Normalize(Session s, Tensor features, Tensor into = default)
    {
        var y = into.IsNone ? s.TakeFloat(features.Shape[0], features.Columns) : into;
        return UnitLength.Apply(s, features, into: y);
    }

    /// <summary>Compares normalised rows [m, e] with normalised rows [n, e].</summary>
    /// <returns>[m, n] F: scaled cosines plus the bias. Pictures first gives logits per image, texts first logits per text.</returns>
    public Tensor Logits(Session s, Tensor rows, Tensor columns)
    {
        var y = s.TakeFloat(rows.Shape[0], columns.Shape[0]);
        s.Ops.MatMul(new MatMulArgs(rows, columns, y, LogitScale));
        if (_logitBias.IsNone) return y;
        var cells = y.Reshape(y.Rows * y.Columns, 1);
        s.Ops.Combine(new CombineArgs(cells, _logitBias, cells, CombineKind.Add));
        return y;
    }
}
