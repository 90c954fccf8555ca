namespace VlmKernels.Models;

/// <summary>Draws tokens. What is drawn depends on the seed, the row's number and the token's number only, not on the batch or the machine.</summary>
public static class Sampler
{
    /// <summary>A number from 0 to below 1 for one token of one row.</summary>
    public static double Uniform(ulong seed, int row, int token)
    {
        ulong z = Mix(seed + 0x9E3779B97F4A7C15);
        z = Mix(z ^ (uint)row);
        z = Mix(z + ((ulong)(uint)token * 0x9E3779B97F4A7C15));
        return (z >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>The first token, by its place, at which the sum of the probabilities exceeds a uniform number.</summary>
    /// <param name="scores">Logits; −∞ is never drawn.</param>
    /// <param name="total">Their <see cref="Distribution.LogSum"/>.</param>
    /// <param name="uniform">From 0 to below 1.</param>
    public static int Draw(ReadOnlySpan<float> scores, double total, double uniform)
    {
        double sum = 0;
        int last = 0;
        for (int i = 0; i < scores.Length && sum <= uniform; i++)
        {
            if (float.IsNegativeInfinity(scores[i])) continue;
            sum += Math.Exp(scores[i] - total);
            last = i;
        }
        return last;
    }

    /// <summary>The token with the largest p / q, q exponential noise: the draw of <c>torch.multinomial</c>.</summary>
    public static int Draw(ReadOnlySpan<float> probabilities, ReadOnlySpan<float> noise)
    {
        int best = 0;
        for (int i = 1; i < probabilities.Length; i++)
        {
            if (probabilities[i] / noise[i] > probabilities[best] / noise[best]) best = i;
        }
        return best;
    }

    /// <summary>The finaliser of SplitMix64.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
