using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Continues prompts with a language model: the prompts run once, then one token a step for all rows. Tokens are chosen on the host.</summary>
/// <param name="decoder">The model.</param>
/// <param name="options">How tokens are chosen.</param>
public sealed class Generator(ITextDecoder decoder, GenerationOptions options)
{
    /// <summary>Makes the caches for prompts of at most <paramref name="longestPrompt"/> tokens; they serve one such request after another.</summary>
    /// <exception cref="ArgumentException">An option does not fit the model, or there is no room for a new token.</exception>
    public DecodeState CreateState(Session s, int prompts, int longestPrompt)
    {
        options.Check(decoder.Vocabulary);
        return decoder.CreateState(s, prompts, options.RowsPerPrompt, options.LongestRow(longestPrompt, decoder.Context));
    }

    /// <summary>Continues the prompts.</summary>
    /// <param name="s">The session.</param>
    /// <param name="state">Caches of <see cref="CreateState"/>, with all that the text looks at already in them.</param>
    /// <param name="prompts">Token ids, none empty.</param>
    /// <param name="onToken">Gets row and token as soon as they are chosen, the end token included; never called for beams, whose tokens are settled only at the end.</param>
    /// <param name="withTrace">Keep the scores of every step.</param>
    /// <param name="cancellation">Looked at between steps; the rows so far are the result then.</param>
    /// <exception cref="ArgumentException">Prompts, state and options do not fit each other.</exception>
    /// <exception cref="InvalidOperationException">No token can follow: no score is a finite number.</exception>
    public GenerationResult Run(Session s, DecodeState state, IReadOnlyList<int[]> prompts, Action<int, int>? onToken = null, bool withTrace = false, CancellationToken cancellation = default)
    {
        int[] lengths = Check(state, prompts);
        var scores = new float[state.Rows * decoder.Vocabulary];
        var trace = withTrace ? new GenerationTrace() : null;
        int Longest(int prompt) => options.LongestRow(prompt, decoder.Context);
        ISelector selector = options.Mode == GenerationMode.Beam
            ? new BeamSelector(options, decoder.Vocabulary, prompts, Longest)
            : new RowSelector(options, decoder.Vocabulary, state.Capacity, prompts, Longest, onToken, withTrace);

        bool runs;
        using (s.Mark())
        {
            runs = Choose(s, state, state.PutPrompts(s, Pad(prompts, lengths.Max()), lengths), scores, selector, trace);
        }
        while (runs && !cancellation.IsCancellationRequested)
        {
            if (!selector.Parents.IsEmpty && state.RowsPerPrompt > 1) state.Reorder(selector.Parents);
            using var mark = s.Mark();
            runs = Choose(s, state, state.PutTokens(s, selector.Tokens), scores, selector, trace);
        }
        return new GenerationResult(selector.Result(), trace);
    }

    private bool Choose(Session s, DecodeState state, Tensor ids, float[] scores, ISelector selector, GenerationTrace? trace)
    {
        var logits = decoder.Logits(s, ids, state);
        var own = scores.AsSpan(0, (int)logits.Shape.Count);
        if (trace is not null)
        {
            s.CopyOut(logits, own);
            trace.AddLogits(own);
        }
        if (options is { Mode: GenerationMode.Beam, BeamsAddLogits: false }) s.Ops.Softmax(new SoftmaxArgs(logits, logits, Log: true));
        s.CopyOut(logits, own);
        return selector.Choose(own, trace);
    }

    private int[] Check(DecodeState state, IReadOnlyList<int[]> prompts)
    {
        options.Check(decoder.Vocabulary);
        if (prompts.Count != state.Prompts || options.RowsPerPrompt != state.RowsPerPrompt)
        {
            throw new ArgumentException($"the state is for {state.Prompts} × {state.RowsPerPrompt} rows, but there are {prompts.Count} × {options.RowsPerPrompt}", nameof(state));
        }
        if (options.FirstRows is { } first && first.Count != prompts.Count) throw new ArgumentException($"FirstRows must be {prompts.Count} numbers, one for each prompt, found {first.Count}");
        var lengths = new int[prompts.Count];
        for (int p = 0; p < lengths.Length; p++)
        {
            lengths[p] = prompts[p].Length;
            int longest = lengths[p] == 0 ? throw new ArgumentException($"prompt {p} is empty", nameof(prompts)) : options.LongestRow(lengths[p], decoder.Context);
            if (longest > state.Capacity) throw new ArgumentException($"rows of prompt {p} may have {longest} tokens, but the state has room for {state.Capacity}", nameof(state));
        }
        return lengths;
    }

    private int[] Pad(IReadOnlyList<int[]> prompts, int length)
    {
        var ids = new int[prompts.Count * length];
        Array.Fill(ids, options.PadToken);
        for (int p = 0; p < prompts.Count; p++) prompts[p].CopyTo(ids, p * length);
        return ids;
    }
}
