using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// BLIP's text transformer, the multimodal mixture of encoder and decoder (Li et al. 2022; salesforce/BLIP, <c>med.py</c>): BERT's post-norm blocks
/// with a cross-attention in each. Without states to look at it encodes a text alone, with them a text about a picture; causally it is the decoder.
/// </summary>
public sealed class MedTransformer
{
    private readonly MedConfig _config;
    private readonly Embedding _words;
    private readonly Tensor _positions;
    private readonly LayerNorm _norm;
    private readonly MedLayer[] _layers;
    private readonly string _embeddingsStage;

    /// <summary>Loads the transformer.</summary>
    /// <param name="w">The node <c>text_encoder</c> or <c>text_decoder.bert</c>.</param>
    /// <param name="c">Sizes.</param>
    /// <param name="crossWidth">Width of the tokens that the cross-attentions look at.</param>
    /// <param name="stage">What its stages are called: <c>enc</c>, <c>dec</c>.</param>
    /// <param name="looksAtTwo">Whether every layer looks at two pictures.</param>
    public MedTransformer(WeightNode w, MedConfig c, int crossWidth, string stage, bool looksAtTwo = false)
    {
        _config = c;
        int width = c.Block.HiddenSize;
        var embeddings = w["embeddings"];
        _words = new Embedding(embeddings["word_embeddings"], c.Vocabulary, width);
        _positions = embeddings.Upload(embeddings["position_embeddings"].Values("weight", c.Context, width), new Shape(c.Context, width));
        _norm = new LayerNorm(embeddings["LayerNorm"], width, c.Block.NormEpsilon);
        _embeddingsStage = stage + ".embeddings";
        _layers = new MedLayer[c.Block.Layers];
        for (int i = 0; i < _layers.Length; i++)
        {
            var layer = w["encoder"]["layer"][i];
            var cross = layer["crossattention"];
            IMedCross look = looksAtTwo ? new MedTwinCross(cross, c.Block, crossWidth, merges: i >= MedTwinCross.FirstMerging) : new MedCross(cross, c.Block, crossWidth);
            _layers[i] = new MedLayer(layer, c.Block, look, i, stage);
        }
    }

    /// <summary>Encodes texts; decodes them when every answer is known (teacher forcing).</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The texts.</param>
    /// <param name="cross">What they are about; none: the cross-attentions are left out.</param>
    /// <param name="isCausal">Tokens see only what is before them.</param>
    /// <returns>[batch, length, width]; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor Forward(Session s, TextIds text, CrossStates cross = default, bool isCausal = false)
    {
        text.Check(_config.Vocabulary, _config.Context);
        var x = s.Take(text.Batch, text.Length, _config.Block.HiddenSize);
        using var mark = s.Mark();
        _norm.Apply(s, _words.Apply(s, text.CopyIn(s), _positions), into: x);
        Run(s, x, new MedPass(text.PaddingMask(s) with { Causal = isCausal }, cross));
        return x;
    }

    /// <summary>Makes the caches of a request, see <see cref="ITextDecoder.CreateState"/>.</summary>
    internal DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity)
        => new(s, prompts, rowsPerPrompt, capacity, _layers.Length, _config.Block.Heads, _config.Block.HiddenSize / _config.Block.Heads);

    /// <summary>Keeps the keys and values of what a request looks at, [prompts, tokens, cross width], once for all its steps and beams.</summary>
    internal void Remember(Session s, Tensor tokens, DecodeState state)
    {
        foreach (var layer in _layers) layer.Remember(s, tokens, state);
    }

    /// <summary>Runs new tokens [rows, n] of a request: [rows, n, width].</summary>
    internal Tensor Continue(Session s, Tensor ids, DecodeState state)
    {
        var x = s.Take(ids.Shape[0], ids.Shape[1], _config.Block.HiddenSize);
        using var mark = s.Mark();
        _norm.Apply(s, _words.Apply(s, ids, _positions, state.Positions), into: x);
        Run(s, x, new MedPass(default, default, state));
        return x;
    }

    private void Run(Session s, Tensor x, in MedPass pass)
    {
        s.Tap(_embeddingsStage, -1, x);
        var h = s.Take(x.Shape);
        foreach (var layer in _layers) layer.Apply(s, x, h, pass);
    }
}
