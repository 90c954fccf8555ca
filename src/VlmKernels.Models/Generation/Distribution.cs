namespace VlmKernels.Models;

/// <summary>Scores as a distribution over tokens.</summary>
public static class Distribution
{
    internal const string NoToken = "no token can follow: the model gave no finite score, or the rules removed every token";

    /// <summary>The largest score.</summary>
    /// <exception cref="InvalidOperationException">There is no number among the scores that could be chosen.</exception>
    public static float Largest(ReadOnlySpan<float> scores)
    {
        float largest = float.NegativeInfinity;
        foreach (float score in scores)
        {
            // Not Max, which keeps a NaN: it could not be told from the model's fault any more where it is only one of many.
            if (score > largest) largest = score;
        }
        if (float.IsFinite(largest)) return largest;
        throw new InvalidOperationException(NoToken);
    }

    /// <summary>log Σ e^score, in double.</summary>
    public static double LogSum(ReadOnlySpan<float> scores)
    {
        float largest = Largest(scores);
        double sum = 0;
        foreach (float score in scores)
        {
            if (!float.IsNegativeInfinity(score)) sum += Math.Exp((double)score - largest);
        }
        return largest + Math.Log(sum);
    }

    /// <summary>Scores to probabilities, in place.</summary>
    public static void Softmax(Span<float> scores)
    {
        double total = LogSum(scores);
        foreach (ref float score in scores) score = float.IsNegativeInfinity(score) ? 0 : (float)Math.Exp(score - total);
    }

    /// <summary>The best token; of equal ones the lowest id.</summary>
    public static int Best(ReadOnlySpan<float> scores) => scores.IndexOf(Largest(scores));
}
