namespace VlmKernels.Tasks;

/// <summary>A text that a model has written.</summary>
/// <param name="Text">The text, without a stop string and what came behind it.</param>
/// <param name="Tokens">Ids of what was written, end token included, prompt not.</param>
/// <param name="PromptTokens">Tokens that it went on from.</param>
/// <param name="Score">Of beams the length-normalised log-probability; of samples the sum of the log-probabilities they were drawn with; otherwise null.</param>
/// <param name="HasEnded">False: it was cut at its longest length, or cancelled.</param>
public sealed record WrittenText(string Text, IReadOnlyList<int> Tokens, int PromptTokens, float? Score, bool HasEnded);
