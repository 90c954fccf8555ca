namespace VlmKernels.Tasks;

/// <summary>
/// BLEU-4 of a corpus (Papineni et al. 2002, §2.3): the geometric mean of the clipped precisions of 1- to 4-grams, summed over all captions first, times
/// the brevity penalty with the reference length nearest to each caption's. The two constants that keep it defined are those of the COCO caption evaluation (Chen et al. 2015).
/// </summary>
public static class Bleu
{
    private const double Tiny = 1e-15, Small = 1e-9;

    /// <summary>From 0 to 1.</summary>
    /// <param name="written">Words of each caption.</param>
    /// <param name="references">Words of its references, at least one.</param>
    public static double Corpus(IReadOnlyList<string[]> written, IReadOnlyList<string[][]> references)
    {
        var right = new long[Words.LongestGram];
        var all = new long[Words.LongestGram];
        long length = 0, wanted = 0;
        for (int i = 0; i < written.Count; i++)
        {
            string[] words = written[i];
            length += words.Length;
            wanted += references[i].Select(r => r.Length).MinBy(l => (Math.Abs(l - words.Length), l));
            Count(Words.Counts(words), [.. references[i].Select(Words.Counts)], right, all);
        }
        double product = 1;
        for (int n = 0; n < Words.LongestGram; n++) product *= (right[n] + Tiny) / (all[n] + Small);
        double ratio = (length + Tiny) / (wanted + Small);
        return Math.Pow(product, 1.0 / Words.LongestGram) * (ratio < 1 ? Math.Exp(1 - (1 / ratio)) : 1);
    }

    /// <summary>Adds the n-grams of a caption, and how many of them a reference has; none counts more often than in the reference that has it most.</summary>
    private static void Count(Dictionary<string, int>[] written, Dictionary<string, int>[][] references, long[] right, long[] all)
    {
        for (int n = 0; n < Words.LongestGram; n++)
        {
            foreach (var (gram, count) in written[n])
            {
                all[n] += count;
                right[n] += Math.Min(count, references.Max(r => r[n].GetValueOrDefault(gram)));
            }
        }
    }
}
