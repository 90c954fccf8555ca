namespace VlmKernels.Models;

/// <summary>Chooses the next token of every row of a request.</summary>
internal interface ISelector
{
    /// <summary>The chosen tokens, one for each row; the pad token for rows that have ended.</summary>
    ReadOnlySpan<int> Tokens { get; }

    /// <summary>The row that each row goes on from; empty where every row goes on from itself.</summary>
    ReadOnlySpan<int> Parents { get; }

    /// <summary>Chooses.</summary>
    /// <param name="scores">[rows, vocabulary], logits or log-probabilities; in the first step [prompts, vocabulary]. Left as the rules made them.</param>
    /// <param name="trace">Receives what was chosen by; null: ended rows cost nothing.</param>
    /// <returns>False when all rows have ended.</returns>
    bool Choose(Span<float> scores, GenerationTrace? trace);

    /// <summary>The rows as they are, whether they have ended or not.</summary>
    IReadOnlyList<GeneratedSequence> Result();
}
