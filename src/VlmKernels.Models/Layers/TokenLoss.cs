using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>
/// Cross-entropy of the tokens of known texts, as in training. With label smoothing ε a token costs (1 − ε)·(−log p) plus ε times the mean of
/// −log p over the vocabulary (Szegedy et al. 2016; PyTorch's <c>CrossEntropyLoss</c>).
/// </summary>
public static class TokenLoss
{
    /// <summary>Losses of texts, summed over the tokens that count.</summary>
    /// <param name="s">The session.</param>
    /// <param name="logits">[batch, length, vocabulary] F: what follows each token.</param>
    /// <param name="labels">batch · length ids; the one at i is what token i − 1 should have given.</param>
    /// <param name="ignored">The label that does not count: padding, or −100.</param>
    /// <param name="smoothing">ε, from 0 to below 1.</param>
    public static double[] PerText(Session s, Tensor logits, ReadOnlySpan<int> labels, int ignored, float smoothing)
    {
        int batch = logits.Shape[0], length = logits.Shape[1], vocabulary = logits.Columns;
        var row = new float[vocabulary];
        var losses = new double[batch];
        for (int i = 0; i < batch * length; i++)
        {
            bool isLast = i % length == length - 1;
            if (isLast || labels[i + 1] == ignored) continue;
            s.CopyOut<float>(logits.SliceRows(i, 1), row);
            losses[i / length] += Of(row, labels[i + 1], smoothing);
        }
        return losses;
    }

    /// <summary>Loss of one token.</summary>
    /// <param name="logits">One value per token of the vocabulary.</param>
    /// <param name="label">The token that should come.</param>
    /// <param name="smoothing">ε, from 0 to below 1.</param>
    public static double Of(ReadOnlySpan<float> logits, int label, float smoothing)
    {
        double largest = double.NegativeInfinity, total = 0, sum = 0;
        foreach (float v in logits) largest = Math.Max(largest, v);
        foreach (float v in logits)
        {
            total += Math.Exp(v - largest);
            sum += v;
        }
        double normaliser = largest + Math.Log(total);
        return normaliser - ((1 - smoothing) * logits[label]) - (smoothing * sum / logits.Length);
    }
}
