using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>The text transformer as a language model: a causal pass and a head over the vocabulary, whose matrix is that of the word embeddings.</summary>
public sealed class MedDecoder : ITextDecoder
{
    private readonly MedTransformer _transformer;
    private readonly Linear _transform, _head;
    private readonly LayerNorm _norm;
    private readonly MedConfig _config;

    /// <summary>Loads the decoder.</summary>
    /// <param name="w">The node <c>text_decoder</c>.</param>
    /// <param name="c">Sizes.</param>
    /// <param name="crossWidth">Width of the tokens that it looks at.</param>
    public MedDecoder(WeightNode w, MedConfig c, int crossWidth)
    {
        _config = c;
        int width = c.Block.HiddenSize;
        WeightNode bert = w["bert"], predictions = w["cls"]["predictions"], transform = predictions["transform"];
        _transformer = new MedTransformer(bert, c, crossWidth, "dec");
        _transform = new Linear(transform["dense"], width, width);
        _norm = new LayerNorm(transform["LayerNorm"], width, c.Block.NormEpsilon);
        // Tied tensors: files hold one of them, or both with the same values.
        var decoder = predictions["decoder"];
        var matrix = decoder.Has("weight") ? decoder.Matrix("weight", c.Vocabulary, width) : bert["embeddings"]["word_embeddings"].Matrix("weight", c.Vocabulary, width);
        _head = new Linear(decoder.Pack(WeightUse.Linear, matrix, Bias(predictions, decoder, c.Vocabulary)));
    }

    /// <summary>Logits of the token behind every token of known texts (teacher forcing).</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The texts, [DEC] first.</param>
    /// <param name="cross">What they are about.</param>
    /// <returns>[batch, length, vocabulary] F; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor Logits(Session s, TextIds text, CrossStates cross)
    {
        var logits = s.TakeFloat(text.Batch, text.Length, _config.Vocabulary);
        using var mark = s.Mark();
        return Head(s, _transformer.Forward(s, text, cross, isCausal: true), logits);
    }

    /// <inheritdoc/>
    public int Vocabulary => _config.Vocabulary;

    /// <inheritdoc/>
    public int Context => _config.Context;

    /// <inheritdoc/>
    public DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity) => _transformer.CreateState(s, prompts, rowsPerPrompt, capacity);

    /// <summary>Gives a request what its texts are about, before its first prompt: keys and values are computed once for all its steps and beams.</summary>
    /// <param name="s">The session.</param>
    /// <param name="state">The request.</param>
    /// <param name="tokens">[prompts, tokens, cross width]: encoded pictures, or questions; all tokens are seen, padding too.</param>
    public void LookAt(Session s, DecodeState state, Tensor tokens)
    {
        state.ClearCross();
        _transformer.Remember(s, tokens, state);
    }

    /// <inheritdoc/>
    public Tensor Logits(Session s, Tensor ids, DecodeState state)
    {
        var logits = s.TakeFloat(ids.Shape[0], _config.Vocabulary);
        using var mark = s.Mark();
        var x = _transformer.Continue(s, ids, state);
        var last = s.Take(ids.Shape[0], x.Columns);
        s.Ops.CopyRows(CopyRowsArgs.Gather(x, state.LastRows, last));
        return Head(s, last, logits);
    }

    /// <summary>Writes texts about encoded pictures, or answers to encoded questions.</summary>
    /// <param name="s">The session.</param>
    /// <param name="tokens">[prompts, tokens, cross width]; all tokens are seen, padding too.</param>
    /// <param name="prompts">What each text goes on from, [DEC] first.</param>
    /// <param name="options">How tokens are chosen; see <see cref="BlipConfig.WithTokens"/>.</param>
    /// <param name="onToken">Gets row and token as soon as they are chosen; never called for beams.</param>
    /// <param name="withTrace">Keep the scores of every step.</param>
    /// <param name="cancellation">Looked at between steps; the rows so far are the result then.</param>
    /// <exception cref="ArgumentException">Prompts and options do not fit each other or the model.</exception>
    public GenerationResult Write(
        Session s, Tensor tokens, IReadOnlyList<int[]> prompts, GenerationOptions options, Action<int, int>? onToken = null, bool withTrace = false, CancellationToken cancellation = default)
    {
        var generator = new Generator(this, options);
        using var state = generator.CreateState(s, prompts.Count, prompts.Max(p => p.Length));
        LookAt(s, state, tokens);
        return generator.Run(s, state, prompts, onToken, withTrace, cancellation);
    }

    private Tensor Head(Session s, Tensor x, Tensor into)
    {
        var h = _transform.Apply(s, x, _config.Block.Activation);
        _norm.Apply(s, h, into: h);
        s.Tap("head.transform", -1, h);
        return _head.Apply(s, h, into: into);
    }

    private static float[] Bias(WeightNode predictions, WeightNode decoder, int vocabulary)
    {
        if (!decoder.Has("bias")) return predictions.Values("bias", vocabulary);
        float[] bias = decoder.Values("bias", vocabulary);
        // The same values again in files that hold both: read all the same, since what stays unread is an error.
        if (predictions.Has("bias")) predictions.Values("bias", vocabulary);
        return bias;
    }
}
