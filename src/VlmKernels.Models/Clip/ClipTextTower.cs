using System.Buffers;
using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>Text tower of CLIP (Radford et al. 2021), names of the HF checkpoint: token ids to embeddings.</summary>
public sealed class ClipTextTower
{
    // Row indices of more texts than this come from the shared pool instead of the stack.
    private const int MostOnStack = 256;

    private readonly Embedding _tokens;
    private readonly Tensor _positions;
    private readonly PreNormEncoder _encoder;
    private readonly LayerNorm _finalNorm;
    private readonly Linear _projection;
    private readonly ClipTextConfig _config;

    /// <summary>Loads the tower.</summary>
    /// <param name="weights">Root of the tree: <c>text_model</c>, <c>text_projection</c>.</param>
    /// <param name="c">Sizes.</param>
    public ClipTextTower(WeightNode weights, ClipTextConfig c)
    {
        _config = c;
        int width = c.Block.HiddenSize;
        WeightNode text = weights["text_model"], embeddings = text["embeddings"];
        _tokens = new Embedding(embeddings["token_embedding"], c.Vocabulary, width);
        _positions = Positions(embeddings["position_embedding"], c.Context, width, c.Resizing);
        _encoder = ClipEncoder.Load(text["encoder"]["layers"], c.Block, "text.attention", "text.block");
        _finalNorm = new LayerNorm(text["final_layer_norm"], width, c.Block.NormEpsilon);
        _projection = new Linear(weights["text_projection"], width, c.ProjectionSize, bias: false);
    }

    /// <summary>Embeds texts.</summary>
    /// <param name="s">The session.</param>
    /// <param name="ids">Token ids, text after text, batch · length of them.</param>
    /// <param name="batch">Number of texts.</param>
    /// <param name="length">Tokens per text, padding included; at most the context.</param>
    /// <param name="attentionMask">For every id 1, or 0 where no token may look at it; empty: all count.</param>
    /// <returns>[batch, projection size] F, not normalised; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor Forward(Session s, ReadOnlySpan<int> ids, int batch, int length, ReadOnlySpan<byte> attentionMask = default)
    {
        var text = new TextIds(ids, batch, length, attentionMask);
        text.Check(_config.Vocabulary, _config.Context);
        var result = s.TakeFloat(batch, _projection.Outputs);
        using var mark = s.Mark();
        s.Tap("text.positions", -1, _positions);
        var x = _tokens.Apply(s, text.CopyIn(s), _positions);
        s.Tap("text.embeddings", -1, x);
        _encoder.Apply(s, x, text.PaddingMask(s) with { Causal = _config.IsCausal });
        _finalNorm.Apply(s, x, into: x);
        s.Tap("text.ln_final", -1, x);
        var pooled = Pool(s, ids, length, x);
        s.Tap("text.pooled", -1, pooled);
        return _projection.Apply(s, pooled, into: result);
    }

    /// <summary>Gathers the one token of each text that stands for it: [batch, width].</summary>
    private Tensor Pool(Session s, ReadOnlySpan<int> ids, int length, Tensor x)
    {
        int batch = x.Shape[0];
        int[]? rented = batch > MostOnStack ? ArrayPool<int>.Shared.Rent(batch) : null;
        var rows = rented is null ? stackalloc int[batch] : rented.AsSpan(0, batch);
        _config.PooledTokens(ids, length, rows);
        for (int i = 0; i < batch; i++) rows[i] += i * length;
        var index = s.TakeInt(batch);
        s.CopyIn<int>(rows, index);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
        var pooled = s.Take(batch, x.Columns);
        s.Ops.CopyRows(CopyRowsArgs.Gather(x, index, pooled));
        return pooled;
    }

    /// <summary>open_clip resamples the positions when the configuration asks for another context (<c>resize_text_pos_embed</c>).</summary>
    private static Tensor Positions(WeightNode w, int context, int width, PositionResizing resizing)
    {
        int stored = resizing == PositionResizing.AtLoad ? w.Rows("weight", context) : context;
        var values = w.Values("weight", stored, width);
        if (stored != context) values = w.ChecksOnly ? new float[context * width] : GridResampler.Resample(values, width, stored, context, ResampleKernel.Linear);
        return w.Upload(values, new Shape(context, width));
    }
}
