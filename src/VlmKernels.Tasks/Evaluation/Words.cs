namespace VlmKernels.Tasks;

/// <summary>
/// The words that captions are compared by: runs of letters and digits in lower case; an apostrophe within a word belongs to it. Punctuation is left
/// out, as in the tokenizer of the COCO caption evaluation (PTBTokenizer); a hyphen, which that one keeps within a word, ends it here, so
/// that the spaces a model's tokenizer puts round it make no difference.
/// </summary>
public static class Words
{
    /// <summary>The longest n-grams of <see cref="Counts"/>.</summary>
    internal const int LongestGram = 4;

    /// <summary>Words of a text, in order.</summary>
    public static string[] Of(string text)
    {
        var words = new List<string>();
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && Belongs(text, i)) continue;
            if (i > start) words.Add(text[start..i].ToLowerInvariant());
            start = i + 1;
        }
        return [.. words];
    }

    /// <summary>How often each n-gram comes, for n = 1 to 4: at [n − 1], words parted by spaces.</summary>
    internal static Dictionary<string, int>[] Counts(string[] words)
    {
        var counts = new Dictionary<string, int>[LongestGram];
        for (int n = 1; n <= LongestGram; n++)
        {
            counts[n - 1] = new Dictionary<string, int>(StringComparer.Ordinal);
            for (int i = 0; i + n <= words.Length; i++)
            {
                string gram = string.Join(' ', words, i, n);
                counts[n - 1][gram] = counts[n - 1].GetValueOrDefault(gram) + 1;
            }
        }
        return counts;
    }

    private static bool Belongs(string text, int i)
        => char.IsLetterOrDigit(text[i]) || (text[i] is '\'' or '’' && i > 0 && i + 1 < text.Length && char.IsLetterOrDigit(text[i - 1]) && char.IsLetterOrDigit(text[i + 1]));
}
