using System.CommandLine;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary>Options of commands that write texts.</summary>
internal sealed class WritingArguments
{
    private readonly Option<int?> _beams = CommonOptions.Number("--beams", "Beams of the search; 1 takes the likeliest token, step by step. By default as the model's own implementation does.");
    private readonly Option<bool> _sample = new("--sample") { Description = "Draws tokens instead of taking the likeliest ones." };
    private readonly Option<int?> _count = CommonOptions.Number("--num", "How many texts to write: the best beams, or as many samples; by default 1.");
    private readonly Option<int?> _most = CommonOptions.Number("--max-tokens", "Most tokens of a text, the prompt not counted.");
    private readonly Option<int?> _fewest = CommonOptions.Number("--min-tokens", "Tokens before which a text does not end, the prompt not counted.");
    private readonly Option<float?> _temperature = CommonOptions.Fraction("--temperature", "With --sample: above 1 draws more freely, below 1 less.");
    private readonly Option<int?> _topK = CommonOptions.Number("--top-k", "With --sample: draws from this many likeliest tokens; 0 from all.");
    private readonly Option<float?> _topP = CommonOptions.Fraction("--top-p", "With --sample: draws from the likeliest tokens that together reach this probability.");
    private readonly Option<int?> _seed = CommonOptions.Number("--seed", "With --sample: another seed draws other texts; by default 0.");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[_beams, _sample, _count, _most, _fewest, _temperature, _topK, _topP, _seed]) command.Options.Add(option);
    }

    public WritingOptions Read(ParseResult parsed) => new()
    {
        Beams = parsed.GetValue(_beams),
        Samples = parsed.GetValue(_sample),
        Count = parsed.GetValue(_count) ?? 1,
        MaxTokens = parsed.GetValue(_most),
        MinTokens = parsed.GetValue(_fewest),
        Temperature = parsed.GetValue(_temperature),
        TopK = parsed.GetValue(_topK),
        TopP = parsed.GetValue(_topP),
        Seed = parsed.GetValue(_seed) is { } seed ? (ulong)(seed >= 0 ? seed : throw new ArgumentException($"--seed: expected at least 0, found {seed}")) : null,
    };
}
