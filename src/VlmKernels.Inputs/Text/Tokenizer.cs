namespace VlmKernels.Inputs.Text;

/// <summary>A tokenizer put together from the parts that tokenizer.json names.</summary>
internal sealed class Tokenizer : ITokenizer
{
    public required ITokenModel Model { get; init; }

    public required AddedTokens Added { get; init; }

    public required ITokenDecoder Decoder { get; init; }

    public INormalizer? Normalizer { get; init; }

    public IPreTokenizer? PreTokenizer { get; init; }

    public Surroundings Surroundings { get; init; } = Surroundings.None;

    public SpecialTokens Special { get; init; } = new();

    public int? ModelMaxLength { get; init; }

    public int VocabularySize => Math.Max(Model.Vocabulary.Size, Added.All.Count == 0 ? 0 : Added.All.Max(t => t.Id) + 1);

    public int[] Encode(string text, bool addSpecialTokens = true)
    {
        List<int> ids = EncodeText(text);
        return addSpecialTokens ? [.. Surroundings.Before, .. ids, .. Surroundings.After] : [.. ids];
    }

    public PaddedIds EncodePadded(string text, int length, bool truncate = true)
    {
        int room = length - Surroundings.Count;
        if (room < 0) throw new ArgumentException($"{length} ids leave no room for {Surroundings.Count} special tokens", nameof(length));
        List<int> ids = EncodeText(text);
        if (ids.Count > room && !truncate) throw new ArgumentException($"the text has {ids.Count + Surroundings.Count} tokens, at most {length} fit", nameof(text));
        if (ids.Count > room) ids.RemoveRange(room, ids.Count - room);
        int count = ids.Count + Surroundings.Count;
        if (count < length && Special.Pad is null) throw new ArgumentException($"the tokenizer has no padding token to fill {count} tokens up to {length}", nameof(length));
        return new PaddedIds([.. Surroundings.Before, .. ids, .. Surroundings.After, .. Enumerable.Repeat(Special.Pad ?? 0, length - count)], count);
    }

    public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true, bool cleanUp = false)
    {
        var tokens = new List<string>(ids.Length);
        foreach (int id in ids)
        {
            if (skipSpecialTokens && Added.IsSpecial(id)) continue;
            if (Token(id) is { } token) tokens.Add(token);
        }
        string text = Decoder.Decode(tokens);
        return cleanUp ? TokenSpaces.CleanUp(text) : text;
    }

    public int? TokenId(string token) => Added.All.FirstOrDefault(t => t.Content == token)?.Id ?? Model.Vocabulary.Id(token);

    public string? Token(int id) => Model.Vocabulary.Token(id) ?? Added.All.FirstOrDefault(t => t.Id == id)?.Content;

    private List<int> EncodeText(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var ids = new List<int>();
        foreach ((string raw, int? rawId) in Added.Cut(text, afterNormalizer: false))
        {
            if (rawId is { } added) { ids.Add(added); continue; }
            string normal = Normalizer?.Normalize(raw) ?? raw;
            foreach ((string part, int? id) in Added.Cut(normal, afterNormalizer: true))
            {
                if (id is { } found) ids.Add(found);
                else EncodePart(part, ids);
            }
        }
        return ids;
    }

    private void EncodePart(string text, List<int> ids)
    {
        List<string> pieces = [];
        if (PreTokenizer is null) pieces.Add(text);
        else PreTokenizer.Split(text, pieces);
        foreach (string piece in pieces)
        {
            if (piece.Length > 0) Model.Encode(piece, ids);
        }
    }
}
