namespace VlmKernels.Models;

/// <summary>
/// Rules over the scores of one row's next token, in the order of transformers. A removed token gets −∞. One instance serves one request.
/// </summary>
/// <param name="options">Which rules.</param>
/// <param name="vocabulary">Number of scores.</param>
public sealed class LogitRules(GenerationOptions options, int vocabulary)
{
    // The call in which a token was last seen, so that a token that comes twice is punished once.
    private readonly int[] _seen = new int[options.RepetitionPenalty == 1 ? 0 : vocabulary];
    private readonly int[] _suppressed = [.. options.Suppressed];
    private int _call;

    /// <summary>Applies the rules that hold in every mode.</summary>
    /// <param name="scores">[vocabulary].</param>
    /// <param name="row">Tokens so far, prompt included.</param>
    /// <param name="prompt">How many of them are the prompt.</param>
    /// <param name="longest">Most tokens of the row.</param>
    public void Apply(Span<float> scores, ReadOnlySpan<int> row, int prompt, int longest)
    {
        if (options.RepetitionPenalty != 1) Repetition(scores, row);
        if (options.NoRepeatNgram > 0) Ngrams(scores, row, options.NoRepeatNgram);
        foreach (int token in _suppressed) scores[token] = float.NegativeInfinity;
        if (row.Length < options.MinLength) scores[options.EndToken] = float.NegativeInfinity;
        if (options.ForcedFirst is { } first && row.Length == prompt) Force(scores, first);
        if (options.ForcesEnd && row.Length == longest - 1) Force(scores, options.EndToken);
    }

    private void Repetition(Span<float> scores, ReadOnlySpan<int> row)
    {
        _call++;
        foreach (int token in row)
        {
            if (_seen[token] == _call) continue;
            _seen[token] = _call;
            scores[token] = scores[token] < 0 ? scores[token] * options.RepetitionPenalty : scores[token] / options.RepetitionPenalty;
        }
    }

    /// <summary>Removes every token that would complete a sequence of <paramref name="length"/> tokens that the row holds already.</summary>
    private static void Ngrams(Span<float> scores, ReadOnlySpan<int> row, int length)
    {
        if (row.Length < length) return;
        var last = row[^(length - 1)..];
        for (int i = 0; i + length <= row.Length; i++)
        {
            if (row.Slice(i, length - 1).SequenceEqual(last)) scores[row[i + length - 1]] = float.NegativeInfinity;
        }
    }

    private static void Force(Span<float> scores, int token)
    {
        scores.Fill(float.NegativeInfinity);
        scores[token] = 0;
    }
}
