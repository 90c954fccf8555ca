using System.Globalization;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>A step that splits pieces of text into smaller pieces (tokenizer.json: pre_tokenizer).</summary>
internal interface IPreTokenizer
{
    /// <summary>Splits one piece and adds the parts.</summary>
    void Split(string piece, List<string> parts);
}

/// <summary>Steps in a row (tokenizer.json: Sequence).</summary>
internal sealed class PreTokenizerSequence(IReadOnlyList<IPreTokenizer> steps) : IPreTokenizer
{
    public void Split(string piece, List<string> parts)
    {
        List<string> current = [piece];
        foreach (IPreTokenizer step in steps)
        {
            var next = new List<string>();
            foreach (string part in current) step.Split(part, next);
            current = next;
        }
        parts.AddRange(current);
    }
}

/// <summary>What becomes of the matches of a <see cref="PatternSplit"/> and of the text between them.</summary>
internal enum SplitBehavior
{
    /// <summary>Matches stay; what lies between them is dropped (tokenizer.json: Removed, inverted).</summary>
    KeepMatches,

    /// <summary>Matches are dropped (Removed).</summary>
    DropMatches,

    /// <summary>Both stay, each on its own (Isolated).</summary>
    KeepBoth,
}

/// <summary>Splits by a pattern (tokenizer.json: Split).</summary>
internal sealed class PatternSplit(RunePattern pattern, SplitBehavior behavior) : IPreTokenizer
{
    public void Split(string piece, List<string> parts)
    {
        int position = 0;
        foreach (Range match in pattern.Matches(piece))
        {
            if (behavior != SplitBehavior.KeepMatches && match.Start.Value > position) parts.Add(piece[position..match.Start.Value]);
            if (behavior != SplitBehavior.DropMatches) parts.Add(piece[match]);
            position = match.End.Value;
        }
        if (behavior != SplitBehavior.KeepMatches && position < piece.Length) parts.Add(piece[position..]);
    }
}

/// <summary>Writes pieces in the byte alphabet, after GPT-2's split if asked (tokenizer.json: ByteLevel).</summary>
internal sealed class ByteLevelSplit(bool addPrefixSpace, bool useRegex) : IPreTokenizer
{
    private static readonly RunePattern Gpt2 = new(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+");

    public void Split(string piece, List<string> parts)
    {
        if (piece.Length == 0) return;
        if (addPrefixSpace && piece[0] != ' ') piece = " " + piece;
        if (!useRegex)
        {
            parts.Add(ByteAlphabet.Encode(piece));
            return;
        }
        foreach (Range match in Gpt2.Matches(piece)) parts.Add(ByteAlphabet.Encode(piece.AsSpan(match)));
    }
}

/// <summary>Splits at white space and puts every punctuation character on its own (tokenizer.json: BertPreTokenizer).</summary>
internal sealed class BertSplit : IPreTokenizer
{
    public void Split(string piece, List<string> parts)
    {
        var word = new StringBuilder();
        foreach (Rune rune in piece.EnumerateRunes())
        {
            bool space = rune.IsBmp && WhiteSpace.Is((char)rune.Value), mark = !space && IsPunctuation(rune);
            if (space || mark) Flush(word, parts);
            if (mark) parts.Add(rune.ToString());
            else if (!space) word.Append(rune.ToString());
        }
        Flush(word, parts);
    }

    private static void Flush(StringBuilder word, List<string> parts)
    {
        if (word.Length > 0) parts.Add(word.ToString());
        word.Clear();
    }

    private static bool IsPunctuation(Rune rune) => rune.Value is >= 33 and <= 47 or >= 58 and <= 64 or >= 91 and <= 96 or >= 123 and <= 126
        || Rune.GetUnicodeCategory(rune) is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation
            or UnicodeCategory.ClosePunctuation or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation;
}
