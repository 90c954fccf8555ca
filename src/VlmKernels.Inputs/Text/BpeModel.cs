namespace VlmKernels.Inputs.Text;

/// <summary>How a <see cref="BpeModel"/> spells the first symbols of a piece.</summary>
/// <param name="ContinuingPrefix">Put before every symbol but the first.</param>
/// <param name="EndSuffix">Put after the last symbol (CLIP: &lt;/w&gt;).</param>
/// <param name="Unknown">Id for symbols that the vocabulary lacks; null drops them.</param>
/// <param name="FuseUnknown">Whether unknown symbols in a row give one id.</param>
/// <param name="IgnoreMerges">Whether a piece that is a token as a whole is taken without merging.</param>
internal sealed record BpeOptions(string ContinuingPrefix = "", string EndSuffix = "", int? Unknown = null, bool FuseUnknown = false, bool IgnoreMerges = false);

/// <summary>Byte-pair encoding: the adjacent pair of lowest rank is merged until none is left (tokenizer.json: BPE).</summary>
internal sealed class BpeModel : ITokenModel
{
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> merges;
    private readonly BpeOptions options;

    public BpeModel(Vocabulary vocabulary, IReadOnlyList<Merge> merges, BpeOptions options, string file)
    {
        (Vocabulary, this.options) = (vocabulary, options);
        this.merges = new(merges.Count);
        for (int rank = 0; rank < merges.Count; rank++)
        {
            Merge merge = merges[rank];
            ReadOnlySpan<char> tail = merge.Right;
            if (options.ContinuingPrefix.Length > 0 && tail.StartsWith(options.ContinuingPrefix, StringComparison.Ordinal)) tail = tail[options.ContinuingPrefix.Length..];
            this.merges[(Id(merge.Left), Id(merge.Right))] = (rank, Id(string.Concat(merge.Left, tail)));

            int Id(ReadOnlySpan<char> token) => vocabulary.Id(token)
                ?? throw new ConfigFormatException(file, $"merge {rank} \"{merge.Text}\": the vocabulary lacks \"{token}\"");
        }
    }

    public Vocabulary Vocabulary { get; }

    public void Encode(string piece, List<int> ids)
    {
        if (options.IgnoreMerges && Vocabulary.Id(piece) is { } whole)
        {
            ids.Add(whole);
            return;
        }
        var symbols = new List<int>(piece.Length);
        AddSymbols(piece, symbols);
        Merge(symbols, ids);
    }

    private void AddSymbols(string piece, List<int> symbols)
    {
        bool afterUnknown = false;
        for (int i = 0; i < piece.Length;)
        {
            int length = char.IsHighSurrogate(piece[i]) && i + 1 < piece.Length && char.IsLowSurrogate(piece[i + 1]) ? 2 : 1;
            ReadOnlySpan<char> text = piece.AsSpan(i, length);
            bool last = i + length == piece.Length;
            int? id = i == 0 && !last ? Vocabulary.Id(text)
                : Vocabulary.Id(string.Concat(i == 0 ? "" : options.ContinuingPrefix, text, last ? options.EndSuffix : ""));
            if (id is { } known) symbols.Add(known);
            else if (options.Unknown is { } unknown && !(options.FuseUnknown && afterUnknown)) symbols.Add(unknown);
            afterUnknown = id is null;
            i += length;
        }
    }

    // A queue of candidate pairs over a linked list of symbols: n log n, so that a piece of a million characters does not hang.
    private void Merge(List<int> symbols, List<int> ids)
    {
        int count = symbols.Count;
        var next = new int[count];
        var previous = new int[count];
        var queue = new PriorityQueue<(int At, int Left, int Right), (int Rank, int At)>();
        for (int i = 0; i < count; i++) (next[i], previous[i]) = (i + 1, i - 1);
        for (int i = 0; i + 1 < count; i++) Offer(i);
        while (queue.TryDequeue(out (int At, int Left, int Right) pair, out _))
        {
            int right = symbols[pair.At] == pair.Left ? next[pair.At] : count;
            if (right >= count || symbols[right] != pair.Right) continue; // one side was merged meanwhile
            symbols[pair.At] = merges[(pair.Left, pair.Right)].Id;
            symbols[right] = -1;
            next[pair.At] = next[right];
            if (next[right] < count) previous[next[right]] = pair.At;
            if (previous[pair.At] >= 0) Offer(previous[pair.At]);
            Offer(pair.At);
        }
        foreach (int id in symbols)
        {
            if (id >= 0) ids.Add(id);
        }

        void Offer(int at)
        {
            if (next[at] >= count) return;
            (int Left, int Right) key = (symbols[at], symbols[next[at]]);
            if (merges.TryGetValue(key, out (int Rank, int Id) merge)) queue.Enqueue((at, key.Left, key.Right), (merge.Rank, at));
        }
    }
}
