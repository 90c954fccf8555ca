namespace VlmKernels.Models;

/// <summary>Rules that narrow a distribution before a token is drawn from it, in the order of transformers. A removed token gets −∞. One instance serves one request.</summary>
/// <param name="vocabulary">Number of scores.</param>
public sealed class SamplingFilters(int vocabulary)
{
    private readonly ulong[] _keys = new ulong[vocabulary];

    /// <summary>Applies what the options ask for.</summary>
    public void Apply(Span<float> scores, GenerationOptions options)
    {
        if (options.Temperature != 1) Temperature(scores, options.Temperature);
        if (options.TopK > 0) TopK(scores, options.TopK);
        if (options.TopP < 1) TopP(scores, options.TopP);
        if (options.MinP > 0) MinP(scores, options.MinP);
        if (options.TypicalP < 1) Typical(scores, options.TypicalP);
    }

    /// <summary>Divides by the temperature.</summary>
    public static void Temperature(Span<float> scores, float temperature)
    {
        foreach (ref float score in scores) score /= temperature;
    }

    /// <summary>Keeps the <paramref name="count"/> best and those that equal the last of them.</summary>
    public void TopK(Span<float> scores, int count)
    {
        if (count >= scores.Length) return;
        var best = _keys.AsSpan(0, count);
        int found = 0;
        for (int i = 0; i < scores.Length; i++) Ranking.Insert(Ranking.Key(scores[i], i), best, ref found);
        float last = Ranking.Score(best[^1]);
        foreach (ref float score in scores) score = score < last ? float.NegativeInfinity : score;
    }

    /// <summary>Keeps the likeliest tokens up to the one that makes their probability reach <paramref name="mass"/>.</summary>
    /// <param name="scores">[vocabulary].</param>
    /// <param name="mass">The probability.</param>
    /// <param name="fewest">Tokens that stay in any case.</param>
    public void TopP(Span<float> scores, float mass, int fewest = 1)
    {
        int count = Ranking.Sort(scores, _keys);
        double total = Distribution.LogSum(scores), before = 0;
        for (int i = 0; i < count; i++)
        {
            int id = Ranking.Id(_keys[i]);
            double p = Math.Exp(scores[id] - total);
            if (i >= fewest && before >= mass) scores[id] = float.NegativeInfinity;
            before += p;
        }
    }

    /// <summary>Keeps tokens at least <paramref name="part"/> times as likely as the likeliest.</summary>
    public static void MinP(Span<float> scores, float part)
    {
        double floor = Distribution.Largest(scores) + Math.Log(part);
        foreach (ref float score in scores) score = score < floor ? float.NegativeInfinity : score;
    }

    /// <summary>Keeps the tokens whose information is nearest to the expected one, up to the probability <paramref name="mass"/> (Meister et al. 2023).</summary>
    public void Typical(Span<float> scores, float mass)
    {
        double total = Distribution.LogSum(scores), entropy = 0, reached = 0;
        int count = 0;
        foreach (float score in scores)
        {
            if (!float.IsNegativeInfinity(score)) entropy -= Math.Exp(score - total) * (score - total);
        }
        for (int i = 0; i < scores.Length; i++)
        {
            // Nearest first: keys put the largest score first.
            if (!float.IsNegativeInfinity(scores[i])) _keys[count++] = Ranking.Key(-Distance(scores[i], total, entropy), i);
        }
        var nearest = _keys.AsSpan(0, count);
        nearest.Sort();
        int last = 0;
        while (last < count - 1 && (reached += Math.Exp(scores[Ranking.Id(nearest[last])] - total)) < mass) last++;
        float farthest = -Ranking.Score(nearest[last]);
        foreach (ref float score in scores) score = Distance(score, total, entropy) > farthest ? float.NegativeInfinity : score;
    }

    private static float Distance(float score, double total, double entropy) => (float)Math.Abs(total - score - entropy);
}
