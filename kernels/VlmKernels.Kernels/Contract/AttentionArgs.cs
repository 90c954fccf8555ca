namespace VlmKernels.Kernels;

/// <summary>
/// Which keys a query sees: a small value, never a matrix; parts combine by AND. A query that sees no key gets zeros.
/// The default value hides nothing. Hidden keys must still hold finite numbers in k and v, unless they lie behind <see cref="KeyLength"/>: their weight
/// is 0, and 0 times infinity is not.
/// </summary>
public readonly record struct Mask
{
    /// <summary>Query i sees keys 0…i.</summary>
    public bool Causal { get; init; }

    /// <summary>[b'] I: keys at or behind this position are hidden (ragged batches). None: all keys exist.</summary>
    public Tensor KeyLength { get; init; }

    /// <summary>[b', m] U: keys with 0 are hidden (padding anywhere). None: all keys count.</summary>
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
    /// <summary>Multiplies the scores; 0 means 1/√d.</summary>
    public float Scale { get; init; }

    /// <summary>Which keys a query sees.</summary>
    public Mask Mask { get; init; }
}
