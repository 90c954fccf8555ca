namespace VlmKernels.Models;

/// <summary>One text as token ids.</summary>
/// <param name="Prompt">Number of the prompt that it continues.</param>
/// <param name="Tokens">Prompt, new tokens, and the end token where the row came to one.</param>
/// <param name="Score">Of beams the length-normalised sum; of samples the sum of the new tokens' log-probabilities after all rules; of greedy choice, which needs no probabilities, null.</param>
/// <param name="HasEnded">False: it reached its longest length, or was cancelled.</param>
public sealed record GeneratedSequence(int Prompt, IReadOnlyList<int> Tokens, float? Score, bool HasEnded);

/// <summary>What a request gave.</summary>
/// <param name="Sequences">Prompt after prompt, the best beam first.</param>
/// <param name="Trace">Scores of every step, if asked for.</param>
public sealed record GenerationResult(IReadOnlyList<GeneratedSequence> Sequences, GenerationTrace? Trace)
{
    /// <summary>All rows at one length, as the reference implementations give them: [sequences][longest].</summary>
    public int[][] Padded(GenerationOptions options)
    {
        int longest = Sequences.Max(q => q.Tokens.Count), fill = options.PadsWithEnd ? options.EndToken : options.PadToken;
        return [.. Sequences.Select(q => (int[])[.. q.Tokens, .. Enumerable.Repeat(fill, longest - q.Tokens.Count)])];
    }
}

/// <summary>Scores of every step, [rows · vocabulary] each. In the first step there is one row for each prompt.</summary>
public sealed class GenerationTrace
{
    private readonly List<float[]> _logits = [], _scores = [];

    /// <summary>As the model gave them.</summary>
    public IReadOnlyList<float[]> Logits => _logits;

    /// <summary>What tokens were chosen by: after all rules; of beams log-probabilities after the rules, without the sum so far.</summary>
    public IReadOnlyList<float[]> Scores => _scores;

    internal void AddLogits(ReadOnlySpan<float> logits) => _logits.Add(logits.ToArray());

    internal void AddScores(ReadOnlySpan<float> scores) => _scores.Add(scores.ToArray());
}
