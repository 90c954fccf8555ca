namespace VlmKernels.Models;

/// <summary>Growing rows of tokens of one request, in one block of memory.</summary>
/// <param name="count">Number of rows.</param>
/// <param name="capacity">Most tokens of a row.</param>
internal sealed class Rows(int count, int capacity)
{
    private readonly int[] _tokens = new int[count * capacity];
    private readonly int[] _lengths = new int[count];

    public int Length(int row) => _lengths[row];

    public ReadOnlySpan<int> this[int row] => _tokens.AsSpan(row * capacity, _lengths[row]);

    public void Set(int row, ReadOnlySpan<int> tokens)
    {
        tokens.CopyTo(_tokens.AsSpan(row * capacity));
        _lengths[row] = tokens.Length;
    }

    /// <summary>Adds a token; a row that is full keeps what it has.</summary>
    public void Add(int row, int token)
    {
        if (_lengths[row] < capacity) _tokens[(row * capacity) + _lengths[row]++] = token;
    }
}
