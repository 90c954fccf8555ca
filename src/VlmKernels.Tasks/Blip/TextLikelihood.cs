namespace VlmKernels.Tasks;

/// <summary>How likely a model would have written a text.</summary>
/// <param name="LogProbability">Sum of its tokens' log-probabilities, end token included, prompt not.</param>
/// <param name="Tokens">How many tokens that are.</param>
public readonly record struct TextLikelihood(double LogProbability, int Tokens);
