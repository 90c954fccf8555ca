namespace VlmKernels.Tasks;

/// <summary>
/// CIDEr-D (Vedantam et al. 2015, §3 and §6; the constants and the counting of lengths are those of the COCO caption evaluation): the cosine of
/// TF-IDF vectors of n-grams, a caption's counts clipped to the reference's, less for another length (σ = 6), averaged over references and n = 1 to 4, times 10.
/// An n-gram's weight is the logarithm of the pictures over those whose references have it; so the score of a single picture is 0.
/// </summary>
public sealed class CiderD
{
    private const double Sigma = 6, Scale = 10;

    private readonly Dictionary<string, int> _pictures = new(StringComparer.Ordinal);
    private readonly double _logPictures;
    private readonly Vector[][] _references;

    /// <summary>Weighs the n-grams of all references.</summary>
    /// <param name="references">Words of each picture's references, at least one.</param>
    public CiderD(IReadOnlyList<string[][]> references)
    {
        _logPictures = Math.Log(references.Count);
        foreach (string[][] own in references)
        {
            foreach (string gram in own.SelectMany(r => Words.Counts(r).SelectMany(c => c.Keys)).Distinct(StringComparer.Ordinal)) _pictures[gram] = _pictures.GetValueOrDefault(gram) + 1;
        }
        _references = [.. references.Select(own => own.Select(Weigh).ToArray())];
    }

    /// <summary>Mean over all pictures: 10 where every caption is its only reference.</summary>
    /// <param name="written">Words of the caption of each picture.</param>
    public double Corpus(IReadOnlyList<string[]> written) => written.Select((words, i) => Score(Weigh(words), _references[i])).Average();

    private static double Score(in Vector written, Vector[] references)
    {
        double sum = 0;
        foreach (var reference in references) sum += Similarity(written, reference);
        return Scale * sum / references.Length;
    }

    private static double Similarity(in Vector a, in Vector b)
    {
        double sum = 0, difference = a.Length - b.Length;
        for (int n = 0; n < Words.LongestGram; n++)
        {
            double dot = 0;
            foreach (var (gram, weight) in a.Weights[n])
            {
                double other = b.Weights[n].GetValueOrDefault(gram);
                dot += Math.Min(weight, other) * other;
            }
            double norms = a.Norms[n] * b.Norms[n];
            sum += norms == 0 ? dot : dot / norms;
        }
        return sum / Words.LongestGram * Math.Exp(-(difference * difference) / (2 * Sigma * Sigma));
    }

    private Vector Weigh(string[] words)
    {
        var weights = Array.ConvertAll(Words.Counts(words), counts => counts.ToDictionary(c => c.Key, c => c.Value * (_logPictures - Math.Log(Math.Max(1, _pictures.GetValueOrDefault(c.Key))))));
        return new Vector(weights, Array.ConvertAll(weights, w => Math.Sqrt(w.Values.Sum(v => v * v))), Math.Max(0, words.Length - 1));
    }

    /// <summary>A text as weights of its n-grams.</summary>
    /// <param name="Weights">At [n − 1].</param>
    /// <param name="Norms">Their lengths.</param>
    /// <param name="Length">Of the text, in 2-grams.</param>
    private readonly record struct Vector(Dictionary<string, double>[] Weights, double[] Norms, int Length);
}
