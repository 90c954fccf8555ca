namespace VlmKernels.Models;

/// <summary>Ends a row as soon as its text behind the prompt holds one of some strings. The token that completed it stays; its text is the caller's to cut.</summary>
/// <param name="strings">The strings, none empty.</param>
/// <param name="decode">Text of token ids.</param>
public sealed class StopStrings(IReadOnlyList<string> strings, Func<int[], string> decode)
{
    /// <summary>How many characters a row's text has from the first string behind its prompt on; 0: there is none.</summary>
    /// <param name="row">The row's tokens.</param>
    /// <param name="prompt">How many of them are its prompt.</param>
    public int Tail(ReadOnlySpan<int> row, int prompt)
    {
        string text = decode(row.ToArray());
        int from = Math.Min(decode(row[..prompt].ToArray()).Length, text.Length), tail = 0;
        foreach (string stop in strings)
        {
            int at = text.IndexOf(stop, from, StringComparison.Ordinal);
            if (at >= 0) tail = Math.Max(tail, text.Length - at);
        }
        return tail;
    }
}
