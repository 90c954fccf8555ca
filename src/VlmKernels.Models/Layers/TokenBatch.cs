namespace VlmKernels.Models;

/// <summary>Texts as token ids of one length, padded on the right.</summary>
/// <param name="Ids">Token ids, text after text.</param>
/// <param name="Count">Number of texts.</param>
/// <param name="Length">Tokens per text, padding included.</param>
/// <param name="Valid">For every id 1, or 0 for padding; empty: there is none.</param>
public sealed record TokenBatch(int[] Ids, int Count, int Length, byte[] Valid)
{
    /// <summary>As a model takes them.</summary>
    public TextIds All => new(Ids, Count, Length, Valid);

    /// <summary>Fills texts up to the longest, or to a length.</summary>
    /// <param name="texts">The ids of each text, none empty.</param>
    /// <param name="pad">Fills up.</param>
    /// <param name="length">The length; null: that of the longest text.</param>
    /// <exception cref="ArgumentException">A text is longer.</exception>
    public static TokenBatch Pad(IReadOnlyList<int[]> texts, int pad, int? length = null)
    {
        int padded = length ?? texts.Max(t => t.Length);
        var ids = new int[texts.Count * padded];
        var valid = new byte[ids.Length];
        Array.Fill(ids, pad);
        for (int i = 0; i < texts.Count; i++)
        {
            if (texts[i].Length > padded) throw new ArgumentException($"text {i} has {texts[i].Length} tokens, at most {padded} fit", nameof(texts));
            texts[i].CopyTo(ids, i * padded);
            valid.AsSpan(i * padded, texts[i].Length).Fill(1);
        }
        return new TokenBatch(ids, texts.Count, padded, valid);
    }

    /// <summary>The same texts with another first token.</summary>
    public TokenBatch StartingWith(int id)
    {
        int[] ids = [.. Ids];
        for (int i = 0; i < ids.Length; i += Length) ids[i] = id;
        return this with { Ids = ids };
    }
}
