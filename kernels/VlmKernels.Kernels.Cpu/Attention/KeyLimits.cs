namespace VlmKernels.Kernels.Cpu;

/// <summary>How many keys each row of queries sees, and which row of the keys they are.</summary>
internal unsafe struct KeyLimits
{
    public int* QueryStart, KeyLength;
    public int Batch, KeyBatch, Keys;
    public bool Causal;

    /// <summary>The row of the keys that a row of queries meets.</summary>
    public readonly int KeyRow(int row) => (int)((long)row * KeyBatch / Batch);

    public readonly KeyLimit Of(int row)
    {
        int keys = KeyLength is null ? Keys : Math.Clamp(KeyLength[KeyRow(row)], 0, Keys);
        return new KeyLimit(keys, Causal, QueryStart is null ? 0 : QueryStart[row]);
    }
}

/// <summary>What one row of queries sees.</summary>
/// <param name="keys">Keys that exist.</param>
/// <param name="causal">Whether a query sees no key behind its own position.</param>
/// <param name="start">Position of the first query.</param>
internal readonly struct KeyLimit(int keys, bool causal, int start)
{
    private readonly int _keys = keys, _start = start;
    private readonly bool _causal = causal;

    /// <summary>Keys that any of the first <paramref name="queries"/> queries sees: they are the first ones.</summary>
    public int End(int queries) => _causal ? (int)Math.Clamp((long)_start + queries, 0, _keys) : _keys;
}
