using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// Modified ResNet image tower of CLIP (Radford et al. 2021, §2.4), names of openai/CLIP: a stem of three convolutions, average pools before
/// every stride, attention instead of the last pool. Batch norms are folded.
/// </summary>
public sealed class ClipResNetTower : IClipVisionTower
{
    private static readonly string[] Stages = ["vision.layer1", "vision.layer2", "vision.layer3", "vision.layer4"];
    private static readonly string[] Shortcuts = ["vision.layer1.shortcut", "vision.layer2.shortcut", "vision.layer3.shortcut", "vision.layer4.shortcut"];

    private readonly ConvNorm _stem1, _stem2, _stem3;
    private readonly ClipBottleneck[][] _stages;
    private readonly ClipAttentionPool _pool;
    private readonly int _imageSize;

    /// <summary>Loads the tower.</summary>
    /// <param name="weights">Root of the tree: <c>visual</c>.</param>
    /// <param name="c">Sizes.</param>
    public ClipResNetTower(WeightNode weights, ClipResNetConfig c)
    {
        var w = weights["visual"];
        _imageSize = c.ImageSize;
        _stem1 = new ConvNorm(w["conv1"], w["bn1"], 3, c.Width / 2, new Stencil(3, 2, 1, 1));
        _stem2 = new ConvNorm(w["conv2"], w["bn2"], c.Width / 2, c.Width / 2, new Stencil(3, 1, 1, 1));
        _stem3 = new ConvNorm(w["conv3"], w["bn3"], c.Width / 2, c.Width, new Stencil(3, 1, 1, 1));
        _stages = new ClipBottleneck[Stages.Length][];
        int channels = c.Width;
        for (int stage = 0; stage < _stages.Length; stage++)
        {
            int planes = c.Width << stage;
            _stages[stage] = new ClipBottleneck[c.Layers[stage]];
            for (int i = 0; i < _stages[stage].Length; i++)
            {
                _stages[stage][i] = new ClipBottleneck(w[$"layer{stage + 1}"][i], channels, planes, stage > 0 && i == 0 ? 2 : 1);
                channels = planes * ClipBottleneck.Expansion;
            }
        }
        _pool = new ClipAttentionPool(w["attnpool"], c.ImageSize / 32, channels, c.Heads, c.ProjectionSize);
    }

    /// <inheritdoc/>
    public Tensor Forward(Session s, Pixels pixels)
    {
        pixels.Require("CLIP ResNet", _imageSize, _imageSize);
        var result = s.TakeFloat(pixels.Batch, _pool.Outputs);
        using var mark = s.Mark();
        var x = Stem(s, pixels);
        for (int stage = 0; stage < _stages.Length; stage++)
        {
            for (int i = 0; i < _stages[stage].Length; i++)
            {
                x = _stages[stage][i].Apply(s, x, Shortcuts[stage], i);
                s.Tap(Stages[stage], i, x);
            }
        }
        return _pool.Apply(s, x, result);
    }

    private Tensor Stem(Session s, Pixels pixels)
    {
        int side = _imageSize / 4;
        var y = s.Take(pixels.Batch, side, side, _stages[0][0].Channels);
        using var mark = s.Mark();
        var x = _stem1.Apply(s, ToFloat(s, pixels), Activation.Relu);
        s.Tap("vision.stem.1", -1, x);
        x = _stem2.Apply(s, x, Activation.Relu);
        s.Tap("vision.stem.2", -1, x);
        x = _stem3.Apply(s, x, Activation.Relu);
        s.Tap("vision.stem.3", -1, x);
        s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Average, new Stencil(2, 2)));
        s.Tap("vision.stem.pool", -1, y);
        return y;
    }

    /// <summary>The windows of a convolution overlap, so grey levels are converted once and not per window.</summary>
    private static Tensor ToFloat(Session s, Pixels pixels)
    {
        if (pixels.ByteTable.IsNone) return pixels.Data;
        var x = s.Take(pixels.Data.Shape);
        s.Ops.PixelsToFloat(new PixelsArgs(pixels.Data, pixels.ByteTable, x));
        return x;
    }
}

/// <summary>A bottleneck: 1×1, 3×3, average pool where it strides, 1×1, and a shortcut of the same reach.</summary>
public sealed class ClipBottleneck
{
    /// <summary>Output channels per plane.</summary>
    public const int Expansion = 4;

    private readonly ConvNorm _conv1, _conv2, _conv3;
    private readonly ConvNorm? _shortcut;
    private readonly int _stride, _outputs;

    /// <summary>Loads the block.</summary>
    public ClipBottleneck(WeightNode w, int channels, int planes, int stride)
    {
        (Channels, _stride, _outputs) = (channels, stride, planes * Expansion);
        _conv1 = new ConvNorm(w["conv1"], w["bn1"], channels, planes, new Stencil(1));
        _conv2 = new ConvNorm(w["conv2"], w["bn2"], planes, planes, new Stencil(3, 1, 1, 1));
        _conv3 = new ConvNorm(w["conv3"], w["bn3"], planes, _outputs, new Stencil(1));
        if (stride == 1 && channels == _outputs) return;
        var shortcut = w["downsample"]; // "-1" is the pool, which has no weights
        _shortcut = new ConvNorm(shortcut["0"], shortcut["1"], channels, _outputs, new Stencil(1));
    }

    /// <summary>Input channels.</summary>
    public int Channels { get; }

    /// <summary>
    /// Applies the block to x [batch, height, width, channels]. Where x itself is the shortcut it is updated in place; otherwise the result is a
    /// new tensor and the shortcut is tapped.
    /// </summary>
    public Tensor Apply(Session s, Tensor x, string shortcutStage, int index)
    {
        var y = _shortcut is null ? x : s.Take(x.Shape[0], x.Shape[1] / _stride, x.Shape[2] / _stride, _outputs);
        using var mark = s.Mark();
        var h = _conv1.Apply(s, x, Activation.Relu);
        h = Shrink(s, _conv2.Apply(s, h, Activation.Relu));
        if (_shortcut is null) return _conv3.Apply(s, h, Activation.Relu, residual: x, into: y);
        var shortcut = _shortcut.Apply(s, Shrink(s, x));
        s.Tap(shortcutStage, index, shortcut);
        return _conv3.Apply(s, h, Activation.Relu, residual: shortcut, into: y);
    }

    private Tensor Shrink(Session s, Tensor x)
    {
        if (_stride == 1) return x;
        var y = s.Take(x.Shape[0], x.Shape[1] / _stride, x.Shape[2] / _stride, x.Columns);
        s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Average, new Stencil(_stride, _stride)));
        return y;
    }
}

/// <summary>Attention pool: the mean of all cells, put in front of them, asks them once; positions are added before.</summary>
public sealed class ClipAttentionPool
{
    private readonly Tensor _positions;
    private readonly Linear _query, _keyValue, _projection;
    private readonly int _heads;

    /// <summary>Loads the pool.</summary>
    public ClipAttentionPool(WeightNode w, int grid, int width, int heads, int projectionSize)
    {
        _heads = heads;
        int tokens = 1 + (grid * grid);
        _positions = w.Upload(w.Values("positional_embedding", tokens, width), new Shape(tokens, width));
        _query = new Linear(w["q_proj"], width, width);
        _keyValue = Linear.Join(w, width, ("k_proj", width), ("v_proj", width));
        _projection = new Linear(w["c_proj"], width, projectionSize);
    }

    /// <summary>Width of the result.</summary>
    public int Outputs => _projection.Outputs;

    /// <summary>Pools x [batch, height, width, channels] into [batch, outputs].</summary>
    public Tensor Apply(Session s, Tensor x, Tensor into)
    {
        using var mark = s.Mark();
        int batch = x.Shape[0], cells = x.Shape[1] * x.Shape[2], width = x.Columns;
        var mean = s.Take(batch, 1, width);
        var tokens = s.Take(batch, 1 + cells, width);
        s.Ops.Reduce(new ReduceArgs(x, mean, ReduceKind.Mean));
        s.Ops.CopyRows(CopyRowsArgs.Tokens(mean, 0, 1, tokens, at: 0));
        s.Ops.CopyRows(CopyRowsArgs.Tokens(x.Reshape(batch, cells, width), 0, cells, tokens, at: 1));
        s.Ops.Combine(new CombineArgs(tokens, _positions, tokens, CombineKind.Add));
        s.Ops.CopyRows(CopyRowsArgs.Tokens(tokens, 0, 1, mean, at: 0)); // the mean with its position
        var q = _query.Apply(s, mean);
        var kv = _keyValue.Apply(s, tokens);
        s.Ops.Attention(new AttentionArgs(q, kv.SliceColumns(0, width), kv.SliceColumns(width, width), mean, _heads));
        return _projection.Apply(s, mean.Reshape(batch, width), into: into);
    }
}
