using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>Turns tokens of one text into its parts as they come.</summary>
/// <param name="text">From ids to text.</param>
/// <param name="onPart">Gets what each token adds to the text; never empty.</param>
/// <param name="prompt">What the text begins with, which comes with the first part; null: with what is written.</param>
public sealed class TextStream(BlipText text, Action<string> onPart, string? prompt = null)
{
    private readonly List<int> _tokens = prompt is null ? [] : [.. text.CaptionPrompt(prompt)];

    /// <summary>What was handed over so far.</summary>
    public string Shown { get; private set; } = "";

    /// <summary>Takes the next token.</summary>
    /// <param name="row">The text that it belongs to: there is only one.</param>
    /// <param name="token">The token.</param>
    public void Add(int row, int token)
    {
        _tokens.Add(token);
        string all = text.Decode(_tokens);
        if (all.Length <= Shown.Length) return;
        onPart(all[Shown.Length..]);
        Shown = all;
    }
}
