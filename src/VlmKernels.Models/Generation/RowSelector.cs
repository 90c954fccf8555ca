namespace VlmKernels.Models;

/// <summary>Greedy choice and sampling: rows do not know of each other.</summary>
internal sealed class RowSelector : ISelector
{
    private readonly GenerationOptions _options;
    private readonly LogitRules _rules;
    private readonly SamplingFilters _filters;
    private readonly Rows _rows;
    private readonly Action<int, int>? _onToken;
    private readonly int[] _prompts, _longest, _ends, _tokens;
    private readonly double[] _sums;
    private readonly float[] _scores;
    private readonly int _vocabulary;
    private int _step;

    /// <summary>Starts with the prompts; only a trace takes the scores of all rows at once.</summary>
    public RowSelector(GenerationOptions options, int vocabulary, int capacity, IReadOnlyList<int[]> prompts, Func<int, int> longest, Action<int, int>? onToken, bool withTrace)
    {
        (_options, _vocabulary, _onToken) = (options, vocabulary, onToken);
        int count = prompts.Count * options.RowsPerPrompt;
        (_rules, _filters, _rows) = (new LogitRules(options, vocabulary), new SamplingFilters(vocabulary), new Rows(count, capacity));
        (_prompts, _longest, _ends, _tokens, _sums, _scores) = (new int[count], new int[count], new int[count], new int[count], new double[count], new float[(withTrace ? count : 1) * vocabulary]);
        for (int r = 0; r < count; r++)
        {
            int[] prompt = prompts[r / options.RowsPerPrompt];
            _rows.Set(r, prompt);
            (_prompts[r], _longest[r]) = (prompt.Length, longest(prompt.Length));
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <inheritdoc/>
    public ReadOnlySpan<int> Parents => [];

    /// <inheritdoc/>
    public bool Choose(Span<float> scores, GenerationTrace? trace)
    {
        bool runs = false;
        int perScores = _tokens.Length * _vocabulary / scores.Length;
        for (int r = 0; r < _tokens.Length; r++)
        {
            if (_ends[r] > 0 && trace is null)
            {
                _tokens[r] = _options.PadToken;
                continue;
            }
            // Several samples share the scores of their prompt, and rules change scores.
            var own = _scores.AsSpan(trace is null ? 0 : r * _vocabulary, _vocabulary);
            scores.Slice(r / perScores * _vocabulary, _vocabulary).CopyTo(own);
            _rules.Apply(own, _rows[r], _prompts[r], _longest[r]);
            _tokens[r] = _ends[r] > 0 ? _options.PadToken : Next(r, own);
            _rows.Add(r, _tokens[r]);
            if (_ends[r] == 0) runs |= GoesOn(r);
        }
        trace?.AddScores(_scores);
        _step++;
        return runs;
    }

    /// <inheritdoc/>
    public IReadOnlyList<GeneratedSequence> Result()
    {
        var result = new GeneratedSequence[_tokens.Length];
        for (int r = 0; r < result.Length; r++)
        {
            var row = _rows[r][..(_ends[r] > 0 ? _ends[r] : _rows.Length(r))];
            result[r] = new GeneratedSequence(r / _options.RowsPerPrompt, row.ToArray(), _options.Mode == GenerationMode.Sample ? (float)_sums[r] : null, row.Length > _prompts[r] && _ends[r] > 0 && HasEnded(r, row));
        }
        return result;
    }

    private int Next(int row, Span<float> scores)
    {
        if (_options.Mode != GenerationMode.Sample) return Distribution.Best(scores);
        _filters.Apply(scores, _options);
        double total = Distribution.LogSum(scores);
        int token = Sampler.Draw(scores, total, Sampler.Uniform(_options.Seed, Number(row), _step));
        _sums[row] += scores[token] - total;
        return token;
    }

    /// <summary>The row's number in the larger request that this one may be a part of.</summary>
    private int Number(int row) => _options.FirstRows is { } first ? first[row / _options.RowsPerPrompt] + (row % _options.RowsPerPrompt) : row;

    private bool GoesOn(int row)
    {
        _onToken?.Invoke(row, _tokens[row]);
        var tokens = _rows[row];
        if (!HasEnded(row, tokens) && tokens.Length < _longest[row]) return true;
        _ends[row] = tokens.Length;
        return false;
    }

    private bool HasEnded(int row, ReadOnlySpan<int> tokens)
        => tokens[^1] == _options.EndToken || (_options.Stops is { } stops && stops.Tail(tokens, _prompts[row]) > 0);
}
