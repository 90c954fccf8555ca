namespace VlmKernels.Models;

/// <summary>How tokens are chosen.</summary>
public enum GenerationMode
{
    /// <summary>The likeliest token, step by step; of equal ones the lowest id.</summary>
    Greedy,
    /// <summary>Beam search: the likeliest rows.</summary>
    Beam,
    /// <summary>Tokens are drawn from the model's distribution.</summary>
    Sample,
}

/// <summary>What the sum of log-probabilities of a finished beam is divided by, and when a search is over. Published models were tuned with either.</summary>
public enum BeamLength
{
    /// <summary>Tokens of the whole row, prompt included, end token left out; the search is over when the best sum of a step over the row's length beats no finished row (transformers 4.15).</summary>
    WholeRow,
    /// <summary>New tokens, end token counted; the search is over when the best running row beats no finished row (transformers 5).</summary>
    NewTokens,
}

/// <summary>
/// How a text is continued. The order of the rules is that of transformers: repetition, n-grams, suppressed tokens, shortest length, forced tokens;
/// then, for samples, temperature, top-k, top-p, min-p, typical.
/// </summary>
public sealed record GenerationOptions
{
    /// <summary>How tokens are chosen.</summary>
    public GenerationMode Mode { get; init; }

    /// <summary>The token that ends a row; it belongs to the result.</summary>
    public required int EndToken { get; init; }

    /// <summary>Fills rows behind their end.</summary>
    public int PadToken { get; init; }

    /// <summary>Fill rows behind their end with the end token, as beams of transformers 5 do where the pad token is 0.</summary>
    public bool PadsWithEnd { get; init; }

    /// <summary>Most tokens of a row, prompt included; 0: no limit but that of the model.</summary>
    public int MaxLength { get; init; }

    /// <summary>Most new tokens; 0: no limit.</summary>
    public int MaxNewTokens { get; init; }

    /// <summary>A row, prompt included, does not end before it has this many tokens.</summary>
    public int MinLength { get; init; }

    /// <summary>Beams of each prompt, for <see cref="GenerationMode.Beam"/>.</summary>
    public int Beams { get; init; } = 1;

    /// <summary>Exponent of the length that a beam's sum is divided by; above 1 favours long texts.</summary>
    public float LengthPenalty { get; init; } = 1;

    /// <summary>Which length that is.</summary>
    public BeamLength BeamLength { get; init; }

    /// <summary>Beams add raw logits instead of log-probabilities (open_clip up to 3.3).</summary>
    public bool BeamsAddLogits { get; init; }

    /// <summary>Rows returned for each prompt: the best beams, or as many samples.</summary>
    public int Returned { get; init; } = 1;

    /// <summary>Divides positive and multiplies negative logits of tokens that the row holds; 1: off.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>No sequence of this many tokens comes twice; 0: off.</summary>
    public int NoRepeatNgram { get; init; }

    /// <summary>Tokens that never come.</summary>
    public IReadOnlyList<int> Suppressed { get; init; } = [];

    /// <summary>The first new token; null: free.</summary>
    public int? ForcedFirst { get; init; }

    /// <summary>The last token of a row that reaches its longest length is the end token.</summary>
    public bool ForcesEnd { get; init; }

    /// <summary>Divides logits; above 1 evens the distribution out.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Draw from this many likeliest tokens, and those as likely as the last of them; 0: off.</summary>
    public int TopK { get; init; }

    /// <summary>Draw from the likeliest tokens that together reach this probability; 1: off.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Draw from tokens at least this part as likely as the likeliest; 0: off.</summary>
    public float MinP { get; init; }

    /// <summary>Draw from the tokens nearest to the expected information that together reach this probability (Meister et al. 2023); 1: off.</summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>Draws depend on it, on the number of the row and on the number of the token, on nothing else.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of each prompt's first row in a larger request that this one is a part of; null: rows are numbered as they come.</summary>
    public IReadOnlyList<int>? FirstRows { get; init; }

    /// <summary>Ends rows by their text; null: no row.</summary>
    public StopStrings? Stops { get; init; }

    /// <summary>Rows that continue each prompt.</summary>
    public int RowsPerPrompt => Mode switch { GenerationMode.Beam => Beams, GenerationMode.Sample => Returned, _ => 1 };

    /// <summary>Checks the options against each other and the model.</summary>
    /// <exception cref="ArgumentException">An option is out of its range or does not go with another; the text names it.</exception>
    public void Check(int vocabulary)
    {
        Require(IsToken(EndToken, vocabulary), nameof(EndToken), EndToken, $"0 to {vocabulary - 1}");
        Require(IsToken(PadToken, vocabulary), nameof(PadToken), PadToken, $"0 to {vocabulary - 1}");
        Require(ForcedFirst is not { } forced || IsToken(forced, vocabulary), nameof(ForcedFirst), ForcedFirst, $"0 to {vocabulary - 1}");
        foreach (int token in Suppressed) Require(IsToken(token, vocabulary), nameof(Suppressed), token, $"0 to {vocabulary - 1}");
        Require(MaxLength >= 0, nameof(MaxLength), MaxLength, "at least 0");
        Require(MaxNewTokens >= 0, nameof(MaxNewTokens), MaxNewTokens, "at least 0");
        Require(MinLength >= 0, nameof(MinLength), MinLength, "at least 0");
        Require(Beams >= 1 && 2L * Beams <= vocabulary, nameof(Beams), Beams, $"1 to {vocabulary / 2}");
        Require(Returned >= 1, nameof(Returned), Returned, "at least 1");
        Require(Mode != GenerationMode.Greedy || Returned == 1, nameof(Returned), Returned, "1 without beams or samples");
        Require(Mode != GenerationMode.Beam || Returned <= Beams, nameof(Returned), Returned, $"at most the {Beams} beams");
        Require(float.IsFinite(LengthPenalty), nameof(LengthPenalty), LengthPenalty, "a number");
        Require(RepetitionPenalty > 0 && float.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "above 0");
        Require(NoRepeatNgram >= 0, nameof(NoRepeatNgram), NoRepeatNgram, "at least 0");
        Require(Temperature > 0 && float.IsFinite(Temperature), nameof(Temperature), Temperature, "above 0");
        Require(TopK >= 0, nameof(TopK), TopK, "at least 0");
        Require(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0, at most 1");
        Require(MinP is >= 0 and <= 1, nameof(MinP), MinP, "0 to 1");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), TypicalP, "above 0, at most 1");
        Require(Mode != GenerationMode.Beam || Stops is null, nameof(Stops), "stop strings", "none with beams");
    }

    /// <summary>Most tokens of a row with a prompt of <paramref name="prompt"/> tokens.</summary>
    /// <exception cref="ArgumentException">There is no room for a new token.</exception>
    public int LongestRow(int prompt, int context)
    {
        long longest = context;
        if (MaxLength > 0) longest = Math.Min(longest, MaxLength);
        if (MaxNewTokens > 0) longest = Math.Min(longest, (long)prompt + MaxNewTokens);
        return longest > prompt ? (int)longest : throw new ArgumentException($"a prompt of {prompt} tokens leaves no room for a new one: rows have at most {longest}");
    }

    private static bool IsToken(int token, int vocabulary) => (uint)token < (uint)vocabulary;

    private static void Require(bool holds, string option, object? found, string expected)
    {
        if (!holds) throw new ArgumentException(FormattableString.Invariant($"{option} must be {expected}, found {found}"));
    }
}
