namespace VlmKernels.Kernels;

/// <summary>
/// Which keys a query sees: a small value, never a matrix; parts combine by AND. A query that sees no key gets zeros.
/// The default value hides nothing. Hidden keys must still hold finite numbers in k and v, unless they lie behind <see cref="KeyLength"/>: their weight
/// is 0, and 0 times infinity is not.
/// </summary>
public readonly record struct Mask
{
    /// <summary>Query i sees keys 0…i, counted from <see cref="QueryStart"/>.</summary>
    public bool Causal { get; init; }

    /// <summary>[b] I: the position of each row's first query among its keys, for <see cref="Causal"/>. None: 0.</summary>
    public Tensor QueryStart { get; init; }

    /// <summary>[b'] I: keys at or behind this position are hidden (ragged batches); [b] with <see cref="AttentionArgs.KeyRows"/>. None: all keys exist.</summary>
    public Tensor KeyLength { get; init; }

    /// <summary>[b', m] U: keys with 0 are hidden (padding anywhere); [b, m] with <see cref="AttentionArgs.KeyRows"/>. None: all keys count.</summary>
    public Tensor KeyValid { get; init; }
}

/// <summary>Arguments of <see cref="IOps.Attention"/>.</summary>
/// <param name="Q">[b, n, heads·d] A; column slices are welcome.</param>
/// <param name="K">[b', m, heads·d] A; consecutive b / b' rows of q share the same keys.</param>
/// <param name="V">[b', m, heads·d] A.</param>
/// <param name="Y">[b, n, heads·d] A; must not overlap q, k or v.</param>
/// <param name="Heads">Number of heads; head h owns columns h·d … (h + 1)·d.</param>
public readonly record struct AttentionArgs(Tensor Q, Tensor K, Tensor V, Tensor Y, int Heads)
{
    /// <summary>Attention over the keys and values of a cache: b' is its rows, m its capacity. Row i of q sees row i · b' / b of the cache.</summary>
    public AttentionArgs(Tensor q, KvCache cache, Tensor y, int heads) : this(q, default, default, y, heads) => Cache = cache;

    /// <summary>Takes the place of k and v. What lies behind all visible keys is never read into a result.</summary>
    public KvCache? Cache { get; init; }

    /// <summary>[b, capacity] I: which row of the cache holds key t of row i of q; beams share a past by it. None: one row for all keys.</summary>
    public Tensor KeyRows { get; init; }

    /// <summary>Keys per row: m.</summary>
    public int Keys => Cache?.Capacity ?? K.Shape[1];

    /// <summary>Rows of keys: b', or b where every row of q has keys of its own through <see cref="KeyRows"/>.</summary>
    public int KeyBatch => !KeyRows.IsNone ? Q.Shape[0] : Cache?.Rows ?? K.Shape[0];

    /// <summary>Multiplies the scores; 0 means 1/√d.</summary>
    public float Scale { get; init; }

    /// <summary>Which keys a query sees.</summary>
    public Mask Mask { get; init; }
}
