namespace VlmKernels.Models;

/// <summary>Ends a row as soon as the text of its new tokens holds one of some strings; the token that completed it stays.</summary>
/// <param name="strings">The strings, none empty.</param>
/// <param name="decode">Text of token ids.</param>
public sealed class StopStrings(IReadOnlyList<string> strings, Func<int[], string> decode)
{
    /// <summary>Whether the text of these tokens holds one of the strings.</summary>
    public bool AreIn(ReadOnlySpan<int> newTokens)
    {
        string text = decode(newTokens.ToArray());
        foreach (string stop in strings)
        {
            if (text.Contains(stop, StringComparison.Ordinal)) return true;
        }
        return false;
    }
}
