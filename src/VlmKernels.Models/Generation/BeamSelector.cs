namespace VlmKernels.Models;

/// <summary>Beam search for every prompt of a request.</summary>
internal sealed class BeamSelector : ISelector
{
    private readonly GenerationOptions _options;
    private readonly LogitRules _rules;
    private readonly List<BeamSearch> _searches = [];
    private readonly int[] _prompts, _longest, _tokens, _parents;
    private readonly int _vocabulary;

    /// <summary>Starts with the prompts.</summary>
    public BeamSelector(GenerationOptions options, int vocabulary, IReadOnlyList<int[]> prompts, Func<int, int> longest)
    {
        (_options, _vocabulary, _rules) = (options, vocabulary, new LogitRules(options, vocabulary));
        (_prompts, _longest) = (new int[prompts.Count], new int[prompts.Count]);
        (_tokens, _parents) = (new int[prompts.Count * options.Beams], new int[prompts.Count * options.Beams]);
        for (int p = 0; p < prompts.Count; p++)
        {
            (_prompts[p], _longest[p]) = (prompts[p].Length, longest(prompts[p].Length));
            _searches.Add(new BeamSearch(options, prompts[p], _longest[p], vocabulary));
        }
    }

    /// <inheritdoc/>
    public ReadOnlySpan<int> Tokens => _tokens;

    /// <inheritdoc/>
    public ReadOnlySpan<int> Parents => _parents;

    /// <inheritdoc/>
    public bool Choose(Span<float> scores, GenerationTrace? trace)
    {
        bool runs = false;
        int perPrompt = scores.Length / _searches.Count, beams = _options.Beams;
        for (int p = 0; p < _searches.Count; p++)
        {
            var search = _searches[p];
            Span<int> tokens = _tokens.AsSpan(p * beams, beams), parents = _parents.AsSpan(p * beams, beams);
            if (search.IsDone)
            {
                tokens.Fill(_options.PadToken);
                for (int i = 0; i < beams; i++) parents[i] = (p * beams) + i;
                continue;
            }
            var own = scores.Slice(p * perPrompt, perPrompt);
            for (int i = 0; i < perPrompt / _vocabulary; i++) _rules.Apply(own.Slice(i * _vocabulary, _vocabulary), search[i], _prompts[p], _longest[p]);
            search.Step(own, parents, tokens);
            foreach (ref int parent in parents) parent += p * beams;
            runs |= !search.IsDone;
        }
        trace?.AddScores(scores);
        return runs;
    }

    /// <inheritdoc/>
    public IReadOnlyList<GeneratedSequence> Result()
    {
        var result = new List<GeneratedSequence>();
        for (int p = 0; p < _searches.Count; p++)
        {
            if (!_searches[p].IsDone) _searches[p].Close();
            result.AddRange(_searches[p].Result(p));
        }
        return result;
    }
}
