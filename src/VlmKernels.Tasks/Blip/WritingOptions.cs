using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>What a caller asks of a text that is written; what is null is as the model's own implementation does it.</summary>
public sealed record WritingOptions
{
    /// <summary>Most rows of a pass: each has its own cache.</summary>
    internal const int MostRows = 100;

    /// <summary>Draw tokens instead of taking the likeliest ones.</summary>
    public bool Samples { get; init; }

    /// <summary>Beams; 1: the likeliest token, step by step.</summary>
    public int? Beams { get; init; }

    /// <summary>Texts for each picture: the best beams, or as many samples.</summary>
    public int Count { get; init; } = 1;

    /// <summary>Most tokens, the prompt not counted.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens before which a text does not end, the prompt not counted.</summary>
    public int? MinTokens { get; init; }

    /// <summary>Divides the logits of samples.</summary>
    public float? Temperature { get; init; }

    /// <summary>Samples come from this many likeliest tokens; 0: from all.</summary>
    public int? TopK { get; init; }

    /// <summary>Samples come from the likeliest tokens that together reach this probability.</summary>
    public float? TopP { get; init; }

    /// <summary>Seed of samples. Draws depend on it and on the place of the picture or question among those of the call, not on how they are batched.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Strings that end a text, which they are no part of; looked for behind its prompt. None with beams.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Number of the first picture's or question's first sample, where they are some of a longer list.</summary>
    public int FirstRow { get; init; }

    /// <summary>The options of the generation engine.</summary>
    /// <param name="likeliest">What the model does by default.</param>
    /// <param name="samples">What it does when it draws.</param>
    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="context">Most tokens of a text, prompt included.</param>
    /// <param name="decode">Text of token ids.</param>
    /// <exception cref="ArgumentException">Options contradict each other, or ask for more than the model can write.</exception>
    public GenerationOptions Over(GenerationOptions likeliest, GenerationOptions samples, int prompt, int context, Func<int[], string> decode)
    {
        Check(context - prompt);
        var given = Samples ? samples : likeliest;
        int beams = Samples ? 1 : Beams ?? Math.Max(given.Beams, Count);
        var mode = Samples ? GenerationMode.Sample : beams > 1 ? GenerationMode.Beam : GenerationMode.Greedy;
        if (Stops.Count > 0 && mode == GenerationMode.Beam) throw new ArgumentException("stop strings: beams are known only at their end; ask for 1 beam, or samples");
        return given with
        {
            Mode = mode,
            Beams = beams,
            Returned = Count,
            MaxLength = MaxTokens is null ? given.MaxLength : 0,
            MaxNewTokens = MaxTokens ?? given.MaxNewTokens,
            MinLength = MinTokens is { } least ? prompt + least : MaxTokens is { } most ? Math.Min(given.MinLength, prompt + most) : given.MinLength,
            Temperature = Temperature ?? given.Temperature,
            TopK = TopK ?? given.TopK,
            TopP = TopP ?? given.TopP,
            Seed = Seed ?? given.Seed,
            Stops = Stops.Count > 0 ? new StopStrings(Stops, decode) : null,
        };
    }

    /// <summary>The options by their names on the command line, <see cref="FirstRow"/> left out: for <see cref="LinesFile"/>.</summary>
    internal IEnumerable<(string Name, string Value)> Settings()
    {
        yield return ("sample", Samples ? "yes" : "no");
        yield return ("beams", Given(Beams));
        yield return ("num", Given(Count));
        yield return ("max-tokens", Given(MaxTokens));
        yield return ("min-tokens", Given(MinTokens));
        yield return ("temperature", Given(Temperature));
        yield return ("top-k", Given(TopK));
        yield return ("top-p", Given(TopP));
        yield return ("seed", Given(Seed));
        yield return ("stops", Stops.Count == 0 ? "none" : string.Join(", ", Stops.Select(s => $"\"{JsonEncodedText.Encode(s, JavaScriptEncoder.UnsafeRelaxedJsonEscaping)}\"")));
    }

    private static string Given(IFormattable? value) => value?.ToString(null, CultureInfo.InvariantCulture) ?? "the model's own";

    private void Check(int room)
    {
        if (Samples && Beams is not null) throw new ArgumentException("beams or samples, not both");
        if (!Samples && (Temperature ?? TopP ?? (float?)TopK ?? Seed) is not null) throw new ArgumentException("temperature, top-p, top-k and seed belong to samples");
        if (Beams is < 1 or > MostRows) throw new ArgumentException($"beams: expected 1 to {MostRows}, found {Beams}");
        if (Count > MostRows) throw new ArgumentException($"texts for each picture: expected 1 to {MostRows}, found {Count}");
        if (Count < 1 || (Beams is { } beams && Count > beams)) throw new ArgumentException($"texts for each picture: expected 1 to {Beams?.ToString(CultureInfo.InvariantCulture) ?? "as many as beams"}, found {Count}");
        if (MaxTokens is { } most && (most < 1 || most > room)) throw new ArgumentException($"most tokens: expected 1 to {room}, which the model has room for, found {most}");
        if (MinTokens is { } least && (least < 0 || least > (MaxTokens ?? room))) throw new ArgumentException($"fewest tokens: expected 0 to {MaxTokens ?? room}, found {least}");
    }
}
