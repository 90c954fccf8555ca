using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>Tokenizers whose parts follow from their class: folders without tokenizer.json.</summary>
internal static class ClassTokenizers
{
    /// <summary>CLIP's way to split text between its special tokens.</summary>
    public const string ClipPattern = @"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";

    /// <summary>CLIPTokenizer: vocab.json and, beside it, merges.txt.</summary>
    public static Tokenizer Clip(string vocabularyPath, TokenizerConfig config)
    {
        string? name = config.Class?.Replace("Fast", "", StringComparison.Ordinal);
        if (name != "CLIPTokenizer") throw new ConfigFormatException(vocabularyPath, $"without tokenizer.json only CLIPTokenizer can be built from vocab.json and merges.txt; tokenizer_config.json names {config.Class ?? "no class"}");
        var vocabulary = new Vocabulary(TokenizerJsonModels.ReadVocabulary(JsonSection.Parse(vocabularyPath), vocabularyPath), vocabularyPath);
        string begin = config.Role("bos_token", "<|startoftext|>"), end = config.Role("eos_token", "<|endoftext|>");
        foreach ((string key, string token) in new[] { ("bos_token", begin), ("eos_token", end), ("unk_token", end), ("pad_token", end) }) config.Default(key, token);
        int Id(string token) => vocabulary.Id(token) ?? throw new ConfigFormatException(vocabularyPath, $"the vocabulary lacks {token}");
        string mergesPath = Path.Combine(Path.GetDirectoryName(vocabularyPath)!, "merges.txt");
        var options = new BpeOptions(EndSuffix: "</w>", Unknown: vocabulary.Id(config.Role("unk_token", end)));
        return new Tokenizer
        {
            Model = new BpeModel(vocabulary, MergesFile.Read(mergesPath, int.MaxValue), options, mergesPath),
            Normalizer = new NormalizerSequence([new FunctionNormalizer(CanonicalForm.Compose), new ReplaceNormalizer(new RunePattern(@"\s+"), " "), new FunctionNormalizer(LetterCase.Lower)]),
            PreTokenizer = new PreTokenizerSequence([new PatternSplit(new RunePattern(ClipPattern), SplitBehavior.KeepMatches), new ByteLevelSplit(addPrefixSpace: false, useRegex: true)]),
            Added = new AddedTokens([.. Special(config, vocabulary)], null),
            Surroundings = new Surroundings([Id(begin)], [Id(end)]),
            Decoder = new ByteLevelDecoder("</w>", Strip: true),
            Special = config.Resolve(t => vocabulary.Id(t)),
            ModelMaxLength = config.ModelMaxLength,
        };
    }

    /// <summary>BertTokenizer: vocab.txt, one token a line.</summary>
    public static Tokenizer Bert(string vocabularyPath, TokenizerConfig config)
    {
        return Bert(vocabularyPath, config, ReadLines(vocabularyPath), new WordPieceDecoder("##", WordPieceCleanUp.Token));
    }

    /// <summary>salesforce/BLIP's tokenizer: BERT's with [DEC] and [ENC] appended; decoding cleans the whole text as transformers 4.15 does.</summary>
    public static Tokenizer Blip(string vocabularyPath)
    {
        var ids = ReadLines(vocabularyPath);
        var config = new TokenizerConfig();
        foreach (string token in (ReadOnlySpan<string>)["[DEC]", "[ENC]"])
        {
            ids.TryAdd(token, ids.Count);
            config.AdditionalSpecial.Add(token);
        }
        config.Default("bos_token", "[DEC]");
        return Bert(vocabularyPath, config, ids, new WordPieceDecoder("##", WordPieceCleanUp.Text));
    }

    private static Dictionary<string, int> ReadLines(string vocabularyPath)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (string line in File.ReadAllText(vocabularyPath, Encoding.UTF8).TrimEnd('\n').Split('\n')) ids[line.TrimEnd('\r')] = ids.Count;
        return ids;
    }

    private static Tokenizer Bert(string vocabularyPath, TokenizerConfig config, Dictionary<string, int> ids, ITokenDecoder decoder)
    {
        var vocabulary = new Vocabulary(ids, vocabularyPath);
        foreach ((string key, string token) in new[] { ("unk_token", "[UNK]"), ("sep_token", "[SEP]"), ("pad_token", "[PAD]"), ("cls_token", "[CLS]"), ("mask_token", "[MASK]") }) config.Default(key, token);
        SpecialTokens special = config.Resolve(t => vocabulary.Id(t));
        int Need(int? id, string role) => id ?? throw new ConfigFormatException(vocabularyPath, $"the vocabulary lacks the {role} token");
        return new Tokenizer
        {
            Model = new WordPieceModel(vocabulary, Need(special.Unknown, "unknown"), "##", 100),
            Normalizer = new BertNormalizer(cleanText: true, handleChinese: true, stripAccents: config.LowerCase, lowercase: config.LowerCase),
            PreTokenizer = new BertSplit(),
            Added = new AddedTokens([.. Special(config, vocabulary)], null),
            Surroundings = new Surroundings([Need(special.Classify, "classification")], [Need(special.Separate, "separator")]),
            Decoder = decoder,
            Special = special,
            ModelMaxLength = config.ModelMaxLength,
        };
    }

    private static IEnumerable<AddedToken> Special(TokenizerConfig config, Vocabulary vocabulary) =>
        from token in config.RoleTokens.Concat(config.AdditionalSpecial).Distinct()
        let id = vocabulary.Id(token)
        where id is not null
        select new AddedToken(id.Value, token, Special: true);
}
