namespace VlmKernels.Inputs.Text;

/// <summary>The part of a tokenizer that turns a piece of text into ids (tokenizer.json: model).</summary>
internal interface ITokenModel
{
    Vocabulary Vocabulary { get; }

    void Encode(string piece, List<int> ids);
}

/// <summary>Tokens and their ids, both ways.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> bySpan;
    private readonly string?[] tokens;

    /// <exception cref="ConfigFormatException">An id is negative or far beyond the number of tokens.</exception>
    public Vocabulary(Dictionary<string, int> ids, string file)
    {
        this.ids = ids;
        bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        int size = 0;
        foreach ((string token, int id) in ids)
        {
            // A single wild id would ask for gigabytes of table.
            if (id < 0 || id > 16L * ids.Count + 65536) throw new ConfigFormatException(file, $"token \"{token}\" has the id {id} in a vocabulary of {ids.Count}");
            size = Math.Max(size, id + 1);
            LongestToken = Math.Max(LongestToken, token.Length);
        }
        tokens = new string?[size];
        foreach ((string token, int id) in ids) tokens[id] = token;
    }

    public int Size => tokens.Length;

    /// <summary>In UTF-16 units.</summary>
    public int LongestToken { get; }

    public int? Id(ReadOnlySpan<char> token) => bySpan.TryGetValue(token, out int id) ? id : null;

    public string? Token(int id) => (uint)id < (uint)tokens.Length ? tokens[id] : null;

    public bool Contains(string token) => ids.ContainsKey(token);
}

/// <summary>Pieces that are tokens as a whole are looked up first; the rest goes to another model (the literal specials of OpenAI's tokenizer).</summary>
internal sealed class WholePieceModel(IReadOnlyDictionary<string, int> whole, ITokenModel rest) : ITokenModel
{
    public Vocabulary Vocabulary => rest.Vocabulary;

    public void Encode(string piece, List<int> ids)
    {
        if (whole.TryGetValue(piece, out int id)) ids.Add(id);
        else rest.Encode(piece, ids);
    }
}

/// <summary>Greedy longest match from the left (tokenizer.json: WordPiece).</summary>
internal sealed class WordPieceModel(Vocabulary vocabulary, int unknown, string prefix, int maxCharacters) : ITokenModel
{
    public Vocabulary Vocabulary => vocabulary;

    public void Encode(string piece, List<int> ids)
    {
        int characters = piece.Length;
        foreach (char c in piece) characters -= char.IsLowSurrogate(c) ? 1 : 0;
        int first = ids.Count, start = 0;
        while (characters <= maxCharacters && start < piece.Length)
        {
            // No longer match is possible; without this bound a long word takes cubic time where the file raises maxCharacters.
            int end = Math.Min(piece.Length, start + vocabulary.LongestToken - (start == 0 ? 0 : prefix.Length));
            int? id = null;
            for (; end > start; end--)
            {
                id = start == 0 ? vocabulary.Id(piece.AsSpan(0, end)) : vocabulary.Id(string.Concat(prefix, piece.AsSpan(start, end - start)));
                if (id is not null) break;
            }
            if (id is not { } found) break;
            ids.Add(found);
            start = end;
        }
        if (start == piece.Length && characters <= maxCharacters) return;
        ids.RemoveRange(first, ids.Count - first);
        ids.Add(unknown);
    }
}
