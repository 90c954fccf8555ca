using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models.Tests;

/// <summary>A decoder of the usual kind with random weights: two post-norm layers that look at themselves and at some tokens of a picture.</summary>
internal sealed class TinyDecoder : ITextDecoder
{
    private const int Width = 24, Heads = 2, LayerCount = 2;

    private readonly Embedding _words;
    private readonly Tensor _positions;
    private readonly Layer[] _layers;
    private readonly Linear _head;

    public TinyDecoder(WeightNode w)
    {
        _words = new Embedding(w["words"], Vocabulary, Width);
        _positions = w.Upload(w["positions"].Values("weight", Context, Width), new Shape(Context, Width));
        _layers = [.. Enumerable.Range(0, LayerCount).Select(i => new Layer(w["layer"][i]))];
        _head = new Linear(w["head"], Width, Vocabulary);
    }

    public const int PictureTokens = 5;

    public int Vocabulary => 37;

    public int Context => 48;

    public DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity) => new(s, prompts, rowsPerPrompt, capacity, LayerCount, Heads, Width / Heads);

    /// <summary>Lets the text look at pictures [prompts, tokens, width].</summary>
    public void Read(Session s, Tensor pictures, DecodeState state)
    {
        state.ClearCross();
        foreach (var layer in _layers)
        {
            using var mark = s.Mark();
            var kv = layer.CrossKeyValue.Apply(s, pictures);
            var cache = s.CreateKvCache(pictures.Shape[0], pictures.Shape[1], Heads, Width / Heads);
            s.Ops.AppendKv(new AppendKvArgs(cache, kv.SliceColumns(0, Width), kv.SliceColumns(Width, Width)));
            state.AddCross(cache);
        }
    }

    public Tensor Logits(Session s, Tensor ids, DecodeState state)
    {
        var logits = s.TakeFloat(ids.Shape[0], Vocabulary);
        using var mark = s.Mark();
        var x = _words.Apply(s, ids, _positions, state.Positions);
        for (int i = 0; i < _layers.Length; i++) x = _layers[i].Apply(s, x, i, state);
        var last = s.Take(ids.Shape[0], Width);
        s.Ops.CopyRows(CopyRowsArgs.Gather(x, state.LastRows, last));
        return _head.Apply(s, last, into: logits);
    }

    /// <summary>Logits behind every token of one text, without a cache of the text: [n, vocabulary].</summary>
    public float[] Uncached(Session s, int[] ids, DecodeState picture)
    {
        using var mark = s.Mark();
        var tokens = s.TakeInt(1, ids.Length);
        s.CopyIn<int>(ids, tokens);
        var x = _words.Apply(s, tokens, _positions);
        for (int i = 0; i < _layers.Length; i++) x = _layers[i].Apply(s, x, i, picture, cached: false);
        var values = new float[ids.Length * Vocabulary];
        s.CopyOut<float>(_head.Apply(s, x), values);
        return values;
    }

    private sealed class Layer(WeightNode w)
    {
        private readonly Linear _qkv = new(w["qkv"], Width, 3 * Width), _out = new(w["out"], Width, Width), _query = new(w["query"], Width, Width), _crossOut = new(w["cross_out"], Width, Width);
        private readonly LayerNorm _norm1 = new(w["norm1"], Width, 1e-12f), _norm2 = new(w["norm2"], Width, 1e-12f), _norm3 = new(w["norm3"], Width, 1e-12f);
        private readonly Mlp _mlp = new(new Linear(w["up"], Width, 2 * Width), new Linear(w["down"], 2 * Width, Width), Activation.Gelu);

        public Linear CrossKeyValue { get; } = new(w["cross_kv"], Width, 2 * Width);

        public Tensor Apply(Session s, Tensor x, int index, DecodeState state, bool cached = true)
        {
            var y = s.Take(x.Shape);
            using var mark = s.Mark();
            var qkv = _qkv.Apply(s, x);
            var mixed = s.Take(x.Shape);
            if (cached) state.Attend(s, index, qkv, mixed);
            else s.Ops.Attention(new AttentionArgs(qkv.SliceColumns(0, Width), qkv.SliceColumns(Width, Width), qkv.SliceColumns(2 * Width, Width), mixed, Heads) { Mask = new Mask { Causal = true } });
            var h = _norm1.Apply(s, _out.Apply(s, mixed, residual: x));
            state.AttendCross(s, index, _query.Apply(s, h), mixed);
            h = _norm2.Apply(s, _crossOut.Apply(s, mixed, residual: h));
            return _norm3.Apply(s, _mlp.Apply(s, h, residual: h), into: y);
        }
    }
}

/// <summary>A decoder whose logits are a table by position and last token; it needs no cache.</summary>
internal sealed class ScriptedDecoder(int vocabulary, int context, Func<int, int, int, float> logit) : ITextDecoder
{
    public int Vocabulary => vocabulary;

    public int Context => context;

    public DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity) => new(s, prompts, rowsPerPrompt, capacity, 0, 1, 1);

    public Tensor Logits(Session s, Tensor ids, DecodeState state)
    {
        int rows = ids.Shape[0];
        int[] tokens = new int[ids.Shape.Count], last = new int[rows], positions = new int[rows];
        s.CopyOut<int>(ids, tokens);
        s.CopyOut<int>(state.LastRows, last);
        s.CopyOut<int>(state.Positions, positions);
        var values = new float[rows * vocabulary];
        for (int i = 0; i < values.Length; i++)
        {
            int row = i / vocabulary, at = positions[row] + last[row] - (row * ids.Columns);
            values[i] = logit(at, tokens[last[row]], i % vocabulary);
        }
        var logits = s.TakeFloat(rows, vocabulary);
        s.CopyIn<float>(values, logits);
        return logits;
    }
}
