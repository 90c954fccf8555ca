namespace VlmKernels.Inputs.Text;

/// <summary>A token that is found in the text before anything else (tokenizer.json: added_tokens).</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="Special">Whether decoding may leave it out.</param>
/// <param name="Normalized">Whether it is looked for after the normaliser.</param>
/// <param name="SingleWord">Whether it must not touch a word character.</param>
/// <param name="StripLeft">Whether it takes the white space before it.</param>
/// <param name="StripRight">Whether it takes the white space after it.</param>
internal sealed record AddedToken(int Id, string Content, bool Special, bool Normalized = false, bool SingleWord = false, bool StripLeft = false, bool StripRight = false);

/// <summary>Finds added tokens in text: leftmost first, the longest at one place.</summary>
internal sealed class AddedTokens
{
    private readonly Dictionary<char, List<(string Text, AddedToken Token)>> raw = [], normalized = [];
    private readonly HashSet<int> special = [];

    public AddedTokens(IReadOnlyList<AddedToken> tokens, INormalizer? normalizer, bool findInText = true)
    {
        All = tokens;
        foreach (AddedToken token in tokens)
        {
            if (token.Special) special.Add(token.Id);
            string text = token.Normalized && normalizer is not null ? normalizer.Normalize(token.Content) : token.Content;
            if (text.Length == 0 || !findInText) continue;
            Dictionary<char, List<(string, AddedToken)>> index = token.Normalized ? normalized : raw;
            if (!index.TryGetValue(text[0], out List<(string, AddedToken)>? list)) index[text[0]] = list = [];
            list.Add((text, token));
        }
        foreach (List<(string Text, AddedToken)> list in raw.Values.Concat(normalized.Values)) list.Sort((a, b) => b.Text.Length - a.Text.Length);
    }

    public IReadOnlyList<AddedToken> All { get; }

    public bool IsSpecial(int id) => special.Contains(id);

    /// <summary>Cuts text at its added tokens; parts without an id are plain text.</summary>
    public IEnumerable<(string Text, int? Id)> Cut(string text, bool afterNormalizer)
    {
        Dictionary<char, List<(string Text, AddedToken Token)>> index = afterNormalizer ? normalized : raw;
        int plain = 0;
        for (int i = 0; i < text.Length && index.Count > 0;)
        {
            if (Find(index, text, i) is not { } found) { i++; continue; }
            int start = i, end = i + found.Text.Length;
            while (found.Token.StripLeft && start > plain && WhiteSpace.Is(text[start - 1])) start--;
            while (found.Token.StripRight && end < text.Length && WhiteSpace.Is(text[end])) end++;
            if (start > plain) yield return (text[plain..start], null);
            yield return (found.Text, found.Token.Id);
            plain = i = end;
        }
        if (plain < text.Length) yield return (text[plain..], null);
    }

    private static (string Text, AddedToken Token)? Find(Dictionary<char, List<(string Text, AddedToken Token)>> index, string text, int at)
    {
        if (!index.TryGetValue(text[at], out List<(string Text, AddedToken Token)>? candidates)) return null;
        foreach ((string Text, AddedToken Token) candidate in candidates)
        {
            if (string.CompareOrdinal(text, at, candidate.Text, 0, candidate.Text.Length) != 0) continue;
            if (!candidate.Token.SingleWord || IsAlone(text, at, at + candidate.Text.Length)) return candidate;
        }
        return null;
    }

    private static bool IsAlone(string text, int start, int end) =>
        !(start > 0 && IsWord(text[start - 1])) && !(end < text.Length && IsWord(text[end]));

    private static bool IsWord(char c) => char.IsLetterOrDigit(c) || c == '_';
}
