namespace VlmKernels.Models;

/// <summary>
/// Beam search over the continuations of one prompt (as transformers does it, without early stopping). Ties go to the lower beam, then to the
/// lower token.
/// </summary>
public sealed class BeamSearch
{
    private readonly GenerationOptions _options;
    private readonly int _prompt, _longest, _vocabulary;
    private readonly Rows _finished;
    private readonly float[] _finishedScores;
    private readonly float[] _sums, _nextSums;
    private readonly ulong[] _candidates;
    private readonly int[] _order;
    private Rows _rows, _nextRows;
    private int _finishedCount, _running = 1;

    /// <summary>Starts with a prompt.</summary>
    /// <param name="options">Beams, length penalty, convention, end token.</param>
    /// <param name="prompt">Token ids, at least one.</param>
    /// <param name="longest">Most tokens of a row, prompt included.</param>
    /// <param name="vocabulary">Number of scores of a beam.</param>
    public BeamSearch(GenerationOptions options, ReadOnlySpan<int> prompt, int longest, int vocabulary)
    {
        int beams = options.Beams;
        (_options, _prompt, _longest, _vocabulary) = (options, prompt.Length, longest, vocabulary);
        (_rows, _nextRows, _finished) = (new Rows(beams, longest), new Rows(beams, longest), new Rows(beams, longest));
        (_sums, _nextSums, _finishedScores, _order) = (new float[beams], new float[beams], new float[beams], new int[beams]);
        _candidates = new ulong[2 * beams];
        for (int i = 0; i < beams; i++) _rows.Set(i, prompt);
    }

    /// <summary>No running beam can beat a finished row any more, or the longest length is reached.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Tokens of a running beam, prompt included.</summary>
    public ReadOnlySpan<int> this[int beam] => _rows[beam];

    /// <summary>One step.</summary>
    /// <param name="scores">[running beams, vocabulary] after the rules; in the first step there is one.</param>
    /// <param name="parents">Receives the beam that each beam goes on from.</param>
    /// <param name="tokens">Receives the token that it goes on with.</param>
    /// <exception cref="InvalidOperationException">No candidate has a finite score.</exception>
    public void Step(ReadOnlySpan<float> scores, Span<int> parents, Span<int> tokens)
    {
        int beams = _options.Beams, length = _rows.Length(0), filled = 0, count = Best(scores);
        if (!float.IsFinite(Ranking.Score(_candidates[0]))) throw new InvalidOperationException(Distribution.NoToken);
        for (int rank = 0; rank < count && filled < beams; rank++)
        {
            int at = Ranking.Id(_candidates[rank]), parent = at / _vocabulary, token = at % _vocabulary;
            float sum = Ranking.Score(_candidates[rank]);
            if (token == _options.EndToken)
            {
                if (rank < beams) Finish(parent, sum, ended: true);
                continue;
            }
            (parents[filled], tokens[filled], _nextSums[filled]) = (parent, token, sum);
            _nextRows.Set(filled, _rows[parent]);
            _nextRows.Add(filled++, token);
        }
        float best = _options.BeamLength == BeamLength.WholeRow ? Ranking.Score(_candidates[0]) : _nextSums[0];
        _nextSums.CopyTo(_sums, 0);
        (_rows, _nextRows, _running) = (_nextRows, _rows, beams);
        bool isSettled = _finishedCount == beams && Worst() >= best / Divisor(_options.BeamLength == BeamLength.WholeRow ? length : length + 1 - _prompt);
        IsDone = isSettled || length + 1 == _longest;
        if (!isSettled && IsDone) Close();
    }

    /// <summary>Running beams become rows of the result: the longest length is reached, or nobody waits any longer.</summary>
    public void Close()
    {
        for (int i = 0; i < _running; i++) Finish(i, _sums[i], ended: false);
        IsDone = true;
    }

    /// <summary>The best rows, best first.</summary>
    /// <param name="prompt">Number of the prompt, for the result.</param>
    public IEnumerable<GeneratedSequence> Result(int prompt)
    {
        for (int i = 0; i < _finishedCount; i++) _order[i] = i;
        Array.Sort(_order, 0, _finishedCount, Comparer<int>.Create((a, b) => _finishedScores[b].CompareTo(_finishedScores[a]) is var order and not 0 ? order : a.CompareTo(b)));
        for (int i = 0; i < Math.Min(_options.Returned, _finishedCount); i++)
        {
            int[] tokens = _finished[_order[i]].ToArray();
            yield return new GeneratedSequence(prompt, tokens, _finishedScores[_order[i]], tokens.Length > _prompt && tokens[^1] == _options.EndToken);
        }
    }

    /// <summary>Fills the list of candidates, twice as many as beams; gives their number.</summary>
    private int Best(ReadOnlySpan<float> scores)
    {
        int count = 0;
        for (int beam = 0; beam < _running; beam++)
        {
            var own = scores.Slice(beam * _vocabulary, _vocabulary);
            float sum = _sums[beam];
            for (int token = 0; token < own.Length; token++)
            {
                float total = sum + own[token];
                // Below the last candidate: the common case, told without a key.
                if (count == _candidates.Length && total < Ranking.Score(_candidates[^1])) continue;
                Ranking.Insert(Ranking.Key(total, (beam * _vocabulary) + token), _candidates, ref count);
            }
        }
        return count;
    }

    /// <summary>Keeps a row if it is among the best. The end token is kept with it, but counts as the convention says.</summary>
    private void Finish(int beam, float sum, bool ended)
    {
        int length = _rows.Length(beam);
        float score = sum / Divisor(_options.BeamLength == BeamLength.WholeRow ? length : length - _prompt + (ended ? 1 : 0));
        int at = _finishedCount;
        if (at == _finishedScores.Length)
        {
            at = Array.IndexOf(_finishedScores, Worst());
            if (score <= _finishedScores[at]) return;
        }
        else _finishedCount++;
        _finished.Set(at, _rows[beam]);
        _finishedScores[at] = score;
        if (ended) _finished.Add(at, _options.EndToken);
    }

    private float Worst() => Min(_finishedScores.AsSpan(0, _finishedCount));

    private float Divisor(int length) => MathF.Pow(length, _options.LengthPenalty);

    private static float Min(ReadOnlySpan<float> values)
    {
        float least = float.PositiveInfinity;
        foreach (float value in values) least = MathF.Min(least, value);
        return least;
    }
}
