using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>What a language model supplies to be generated from. Immutable; all that a request changes lies in its <see cref="DecodeState"/>.</summary>
public interface ITextDecoder
{
    /// <summary>Number of tokens that a logit stands for.</summary>
    int Vocabulary { get; }

    /// <summary>Most tokens of a row, prompt included.</summary>
    int Context { get; }

    /// <summary>Makes the caches of a request. What the text looks at (a picture's tokens) is added by the model's own method before the first prompt.</summary>
    /// <param name="s">The session.</param>
    /// <param name="prompts">Number of prompts.</param>
    /// <param name="rowsPerPrompt">Rows that continue each prompt: beams, or samples.</param>
    /// <param name="capacity">Most tokens of a row, prompt included; at most <see cref="Context"/>.</param>
    DecodeState CreateState(Session s, int prompts, int rowsPerPrompt, int capacity);

    /// <summary>
    /// Runs new tokens: their keys and values join the caches, token 0 of row i at position <see cref="DecodeState.Positions"/>[i]. The same text
    /// serves prompts (one row each) and steps (one token for each row).
    /// </summary>
    /// <param name="s">The session.</param>
    /// <param name="ids">[rows, n] I as the state gave it.</param>
    /// <param name="state">The request.</param>
    /// <returns>[rows, vocabulary] F: logits behind the last token of each row, <see cref="DecodeState.LastRows"/>.</returns>
    Tensor Logits(Session s, Tensor ids, DecodeState state);
}
