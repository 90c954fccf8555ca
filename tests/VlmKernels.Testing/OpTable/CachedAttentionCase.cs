using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Attention"/> over a full cache [Batch, Keys, Heads · Dim]: q [Batch · Sharing, Queries, Heads · Dim].</summary>
public sealed record CachedAttentionCase(int Batch, int Queries, int Keys, int Heads, int Dim) : OpCase("Attention")
{
    /// <summary>Rows of q that share a row of the cache, or, with <see cref="KeyRows"/>, rows of both that mix.</summary>
    public int Sharing { get; init; } = 1;

    /// <summary>Every key of a row of q lies in some row of the same item.</summary>
    public bool KeyRows { get; init; }

    /// <summary>Every row of q starts somewhere and sees no key behind itself.</summary>
    public bool Causal { get; init; }

    /// <summary>Every row of keys has its own length; behind it the cache holds NaN.</summary>
    public bool Lengths { get; init; }

    /// <summary>About half of the keys are hidden.</summary>
    public bool Valid { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<CachedAttentionCase> All =>
    [
        .. from dim in (int[])[1, 7, 16, 24, 40, 64, 72, 80, 96, 104, 128] select new CachedAttentionCase(2, 1, 37, 2, dim),
        .. from keys in (int[])[1, 8, 15, 16, 17, 31, 32, 33, 64, 127, 128, 129, 257] select new CachedAttentionCase(2, 1, keys, 2, 24) { Causal = true, Lengths = true },
        .. from mask in Enumerable.Range(0, 8)
           from queries in (int[])[1, 5, 14]
           from keyRows in (bool[])[false, true]
           select new CachedAttentionCase(2, queries, 45, 2, 20) { Sharing = 3, KeyRows = keyRows, Causal = (mask & 1) != 0, Lengths = (mask & 2) != 0, Valid = (mask & 4) != 0 },
        new(1, 1, 577, 2, 64) { Sharing = 3 }, new(2, 1, 300, 2, 64) { Sharing = 4, KeyRows = true, Causal = true },
        // A step of BLIP's decoder: self-attention of three beams, their cross-attention; a long text of a larger model.
        new(1, 1, 30, 12, 64) { Sharing = 3, KeyRows = true, Causal = true }, new(1, 1, 577, 12, 64) { Sharing = 3 }, new(1, 1, 2048, 32, 128) { Causal = true },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Queries} on {Keys} cached keys, {Heads} heads of {Dim}" + Words(
        (Sharing > 1, $"sharing {Sharing}"), (KeyRows, "key rows"), (Causal, "causal"), (Lengths, "lengths"), (Valid, "valid"));

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        int width = Heads * Dim, rows = Batch * Sharing, cacheRows = KeyRows ? rows : Batch, keyBatch = KeyRows ? rows : Batch;
        var cache = inputs.Cache(cacheRows, Keys, Heads, Dim, c => Fill(s, inputs, c, width));
        var q = inputs.A("q", new(rows, Queries, width));
        var y = inputs.Y(q.Shape);
        int first = inputs.FirstItem * Sharing;
        s.Ops.Attention(new AttentionArgs(q, cache, y, Heads)
        {
            // An element's place in the whole batch tells its item; rows are counted from the first item of this run.
            KeyRows = KeyRows ? inputs.I("rows", new(rows, Keys), Sharing, (at, row) => ((int)(at / Keys) / Sharing * Sharing) - first + row) : default,
            Mask = new Mask
            {
                Causal = Causal,
                QueryStart = Causal ? inputs.I("starts", new(rows), Math.Max(1, Keys - Queries + 1)) : default,
                KeyLength = Lengths ? inputs.I("lengths", new(keyBatch), Keys + 1, (_, length) => !KeyRows ? Math.Max(length, Keys / 2) : length) : default,
                KeyValid = Valid ? inputs.U("valid", new(keyBatch, Keys), (_, value) => (byte)(value & 1)) : default,
            },
        });
        return y;
    }

    private void Fill(Session s, OpInputs inputs, KvCache cache, int width)
    {
        if (Batch == 0) return;
        Tensor k = inputs.A("k", new(cache.Rows, Keys, width)), v = inputs.A("v", new(cache.Rows, Keys, width), default, (at, value) => IsBehind(at / width) ? float.NaN : value);
        s.Ops.AppendKv(new AppendKvArgs(cache, k, v));
    }

    /// <summary>Whether no row of q can see this key of the whole batch: no length reaches it.</summary>
    private bool IsBehind(long key)
    {
        if (!Lengths || KeyRows) return false;
        var lengths = Seeded.Array<int>("lengths", 1, key / Keys, (_, random) => Math.Max((int)((random >> 32) % (ulong)(Keys + 1)), Keys / 2));
        return key % Keys >= lengths[0];
    }
}
