using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>The tokenizers of openai/CLIP (simple_tokenizer.py) and open_clip (tokenizer.py): one list of merges, everything else follows.</summary>
internal static class SimpleClipTokenizer
{
    // 49152 entries less 256 bytes and 2 special tokens; what the file holds beyond is left out.
    private const int MaxMerges = 49152 - 256 - 2;

    public static Tokenizer OpenAi(string path) => Make(path, "<|startoftext|>", "<|endoftext|>", ClipCleaning.OpenAi);

    public static Tokenizer OpenClip(string path, TextCleaning cleaning) => Make(path, "<start_of_text>", "<end_of_text>", text => ClipCleaning.OpenClip(text, cleaning));

    private static Tokenizer Make(string path, string begin, string end, Func<string, string> clean)
    {
        List<Merge> merges = MergesFile.Read(path, MaxMerges);
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        IEnumerable<string> bytes = ByteAlphabet.InVocabularyOrder.Select(c => c.ToString());
        int next = 0;
        foreach (string token in (IEnumerable<string>)[.. bytes, .. bytes.Select(b => b + "</w>"), .. merges.Select(m => string.Concat(m.Left, m.Right)), begin, end]) ids[token] = next++;
        var vocabulary = new Vocabulary(ids, path);
        int beginId = ids[begin], endId = ids[end];
        // The pattern ignores case, and then s includes the long s; the special tokens are one piece even where the case keeps them from being special.
        string pattern = $"{Regex.Escape(begin)}|{Regex.Escape(end)}|{ClassTokenizers.ClipPattern.Replace("'s", "'[sſ]", StringComparison.Ordinal)}";
        return new Tokenizer
        {
            Model = new WholePieceModel(new Dictionary<string, int> { [begin] = beginId, [end] = endId }, new BpeModel(vocabulary, merges, new BpeOptions(EndSuffix: "</w>"), path)),
            Normalizer = new FunctionNormalizer(clean),
            PreTokenizer = new PreTokenizerSequence([new PatternSplit(new RunePattern(pattern, RegexOptions.IgnoreCase), SplitBehavior.KeepMatches), new ByteLevelSplit(addPrefixSpace: false, useRegex: false)]),
            // Special tokens are found after cleaning, by the pattern: an escaped &lt;|endoftext|&gt; counts too.
            Added = new AddedTokens([new AddedToken(beginId, begin, Special: true), new AddedToken(endId, end, Special: true)], null, findInText: false),
            Surroundings = new Surroundings([beginId], [endId]),
            Decoder = new ByteLevelDecoder("</w>"),
            Special = new SpecialTokens(Begin: beginId, End: endId, Pad: 0),
            ModelMaxLength = 77,
        };
    }
}
