using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>
/// One request of a decoder: caches of every layer, and where the next tokens go. Row p · <see cref="RowsPerPrompt"/> + j continues prompt p. A prompt
/// runs once; its rows find its keys through <see cref="KeyRows"/>, and beams change places there, keys never move. Serves one request after another.
/// </summary>
public sealed class DecodeState : IDisposable
{
    private readonly KvCache[] _self;
    private readonly List<KvCache> _cross = [];
    private readonly int[] _lengths, _positions, _lastRows;
    private int[] _keyRows, _otherKeyRows;

    /// <summary>Makes empty caches.</summary>
    /// <param name="s">The session.</param>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="rowsPerPrompt">Rows that continue each prompt.</param>
    /// <param name="capacity">Most tokens of a row.</param>
    /// <param name="layers">Layers with self-attention.</param>
    /// <param name="heads">Heads of a layer.</param>
    /// <param name="headDim">Elements of a head.</param>
    public DecodeState(Session s, int prompts, int rowsPerPrompt, int capacity, int layers, int heads, int headDim)
    {
        (Prompts, RowsPerPrompt, Capacity) = (prompts, rowsPerPrompt, capacity);
        _self = new KvCache[layers];
        for (int i = 0; i < layers; i++) _self[i] = s.CreateKvCache(Rows, capacity, heads, headDim);
        (_lengths, _positions, _lastRows) = (new int[Rows], new int[Rows], new int[Rows]);
        (_keyRows, _otherKeyRows) = rowsPerPrompt == 1 ? ([], []) : (new int[Rows * capacity], new int[Rows * capacity]);
    }

    /// <summary>Number of prompts.</summary>
    public int Prompts { get; }

    /// <summary>Rows that continue each prompt.</summary>
    public int RowsPerPrompt { get; }

    /// <summary>All rows.</summary>
    public int Rows => Prompts * RowsPerPrompt;

    /// <summary>Most tokens of a row.</summary>
    public int Capacity { get; }

    /// <summary>[rows of the call] I: the position of each row's first new token.</summary>
    public Tensor Positions { get; private set; }

    /// <summary>[rows of the call] I: rows of [rows · n, hidden] that hold each row's last token.</summary>
    public Tensor LastRows { get; private set; }

    /// <summary>[rows, capacity] I for <see cref="AttentionArgs.KeyRows"/>; none while prompts run, and where every row has a prompt of its own.</summary>
    public Tensor KeyRows { get; private set; }

    /// <summary>A token sees itself and what lies before it.</summary>
    public Mask Mask => new() { Causal = true, QueryStart = Positions };

    /// <summary>Keys and values of the text itself in one layer.</summary>
    public KvCache Self(int layer) => _self[layer];

    /// <summary>Keys and values of what the text looks at in one layer, [prompts] rows.</summary>
    public KvCache Cross(int layer) => _cross[layer];

    /// <summary>Takes over the next layer's keys and values of what the text looks at.</summary>
    public void AddCross(KvCache cache) => _cross.Add(cache);

    /// <summary>Gives the keys and values of what the text looks at back, before those of the next request come.</summary>
    public void ClearCross()
    {
        _cross.ForEach(c => c.Dispose());
        _cross.Clear();
    }

    /// <summary>Self-attention of one layer: keys and values join the cache, queries see all that their row holds up to themselves.</summary>
    /// <param name="s">The session.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="qkv">[rows, n, 3 · width]: query, key, value.</param>
    /// <param name="y">[rows, n, width].</param>
    public void Attend(Session s, int layer, Tensor qkv, Tensor y)
    {
        int width = y.Columns;
        var cache = _self[layer];
        s.Ops.AppendKv(new AppendKvArgs(cache, qkv.SliceColumns(width, width), qkv.SliceColumns(2 * width, width)) { Positions = Positions });
        s.Ops.Attention(new AttentionArgs(qkv.SliceColumns(0, width), cache, y, cache.Heads) { Mask = Mask, KeyRows = KeyRows });
    }

    /// <summary>Cross-attention of one layer: every row looks at what its prompt was given.</summary>
    /// <param name="s">The session.</param>
    /// <param name="layer">Number of the layer.</param>
    /// <param name="q">[rows, n, width].</param>
    /// <param name="y">[rows, n, width].</param>
    public void AttendCross(Session s, int layer, Tensor q, Tensor y) => s.Ops.Attention(new AttentionArgs(q, _cross[layer], y, _cross[layer].Heads));

    /// <summary>Starts the request: prompts, each at position 0. The tensors of the state lie in the session's workspace, as the result does.</summary>
    /// <param name="s">The session.</param>
    /// <param name="ids">Token ids, prompt after prompt, each padded on the right to the same length by any id of the vocabulary.</param>
    /// <param name="lengths">Tokens of each prompt, padding left out.</param>
    /// <returns>[prompts, n] I.</returns>
    /// <exception cref="ArgumentException">Numbers of ids and prompts do not fit, or a prompt is empty or too long.</exception>
    public Tensor PutPrompts(Session s, ReadOnlySpan<int> ids, ReadOnlySpan<int> lengths)
    {
        if (lengths.Length != Prompts || ids.Length % Prompts != 0) throw new ArgumentException($"expected {Prompts} prompts of one length, found {lengths.Length} lengths and {ids.Length} ids");
        int n = ids.Length / Prompts;
        if (n > Capacity) throw new ArgumentException($"prompts of {n} tokens do not fit {Capacity}", nameof(ids));
        for (int p = 0; p < Prompts; p++)
        {
            if (lengths[p] < 1 || lengths[p] > n) throw new ArgumentException($"prompt {p} must have 1 to {n} tokens, found {lengths[p]}", nameof(lengths));
            (_positions[p], _lastRows[p]) = (0, (p * n) + lengths[p] - 1);
            _lengths.AsSpan(p * RowsPerPrompt, RowsPerPrompt).Fill(lengths[p]);
        }
        if (RowsPerPrompt > 1)
        {
            for (int r = 0; r < Rows; r++) _keyRows.AsSpan(r * Capacity, Capacity).Fill(r / RowsPerPrompt * RowsPerPrompt);
        }
        KeyRows = default;
        return Put(s, ids, Prompts);
    }

    /// <summary>Continues every row by one token. A row that is full puts it in the place of its last one: nobody reads on there.</summary>
    /// <param name="s">The session.</param>
    /// <param name="tokens">One id for each row.</param>
    /// <returns>[rows, 1] I.</returns>
    /// <exception cref="ArgumentException">The number of tokens is not that of the rows.</exception>
    public Tensor PutTokens(Session s, ReadOnlySpan<int> tokens)
    {
        if (tokens.Length != Rows) throw new ArgumentException($"expected {Rows} tokens, found {tokens.Length}", nameof(tokens));
        for (int r = 0; r < Rows; r++)
        {
            (_positions[r], _lastRows[r]) = (Math.Min(_lengths[r], Capacity - 1), r);
            _lengths[r] = _positions[r] + 1;
            if (RowsPerPrompt > 1) _keyRows[(r * Capacity) + _positions[r]] = r;
        }
        if (RowsPerPrompt > 1)
        {
            KeyRows = s.TakeInt(Rows, Capacity);
            s.CopyIn<int>(_keyRows, KeyRows);
        }
        return Put(s, tokens, Rows);
    }

    /// <summary>Row i goes on from the past of row parents[i], which belongs to the same prompt.</summary>
    public void Reorder(ReadOnlySpan<int> parents)
    {
        for (int r = 0; r < Rows; r++) _keyRows.AsSpan(parents[r] * Capacity, Capacity).CopyTo(_otherKeyRows.AsSpan(r * Capacity));
        (_keyRows, _otherKeyRows) = (_otherKeyRows, _keyRows);
    }

    /// <summary>Gives all caches back.</summary>
    public void Dispose()
    {
        foreach (var cache in _self) cache.Dispose();
        ClearCross();
    }

    private Tensor Put(Session s, ReadOnlySpan<int> ids, int rows)
    {
        Positions = s.TakeInt(rows);
        s.CopyIn<int>(_positions.AsSpan(0, rows), Positions);
        LastRows = s.TakeInt(rows);
        s.CopyIn<int>(_lastRows.AsSpan(0, rows), LastRows);
        var tensor = s.TakeInt(rows, ids.Length / rows);
        s.CopyIn(ids, tensor);
        return tensor;
    }
}
