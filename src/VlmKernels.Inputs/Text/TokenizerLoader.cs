using VlmKernels.Inputs.Text;

namespace VlmKernels.Inputs;

/// <summary>Loads tokenizers from the files that checkpoints are published with.</summary>
public static class TokenizerLoader
{
    /// <summary>
    /// Loads by transformers' rules: a folder or a tokenizer.json; in a folder without one, vocab.json and merges.txt (CLIP) or vocab.txt (BERT).
    /// tokenizer_config.json and special_tokens_map.json beside it give the roles of the special tokens.
    /// </summary>
    /// <param name="path">A folder, a tokenizer.json or a vocab.txt.</param>
    /// <exception cref="ConfigFormatException">A damaged file, or a component that is not implemented, by name.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static ITokenizer Load(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!Directory.Exists(path)) return LoadFile(path, Path.GetDirectoryName(Path.GetFullPath(path))!);
        foreach (string name in (ReadOnlySpan<string>)["tokenizer.json", "vocab.json", "vocab.txt"])
        {
            if (File.Exists(Path.Combine(path, name))) return LoadFile(Path.Combine(path, name), path);
        }
        throw new FileNotFoundException($"{path}: expected tokenizer.json, vocab.json with merges.txt, or vocab.txt");
    }

    /// <summary>Loads OpenAI's CLIP tokenizer: text is repaired, HTML references are read, letters lowered; padded with 0.</summary>
    /// <param name="mergesPath">bpe_simple_vocab_16e6.txt.gz, or a list of merges in its form, packed or not.</param>
    /// <exception cref="ConfigFormatException">A damaged file.</exception>
    public static ITokenizer LoadOpenAi(string mergesPath) => SimpleClipTokenizer.OpenAi(mergesPath);

    /// <summary>Loads open_clip's tokenizer, which spells the special tokens otherwise and always truncates.</summary>
    /// <param name="mergesPath">bpe_simple_vocab_16e6.txt.gz, or a list of merges in its form, packed or not.</param>
    /// <param name="cleaning">What is done to text before splitting.</param>
    /// <exception cref="ConfigFormatException">A damaged file.</exception>
    public static ITokenizer LoadOpenClip(string mergesPath, TextCleaning cleaning = TextCleaning.Lower) => SimpleClipTokenizer.OpenClip(mergesPath, cleaning);

    /// <summary>Loads salesforce/BLIP's tokenizer: that of bert-base-uncased with [DEC] and [ENC] appended where the list lacks them.</summary>
    /// <param name="vocabularyPath">vocab.txt, one token a line.</param>
    /// <exception cref="ConfigFormatException">A damaged file.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static ITokenizer LoadBlip(string vocabularyPath) => ClassTokenizers.Blip(vocabularyPath);

    private static Tokenizer LoadFile(string path, string folder)
    {
        try
        {
            return Read(path, TokenizerConfig.Read(folder));
        }
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException)
        {
            // What the JSON reader throws for a value of the wrong kind.
            throw new ConfigFormatException($"{path}: a value of the wrong kind ({e.Message})", e);
        }
    }

    private static Tokenizer Read(string path, TokenizerConfig config)
    {
        string name = Path.GetFileName(path);
        if (name == "vocab.json") return ClassTokenizers.Clip(path, config);
        return name.EndsWith(".txt", StringComparison.Ordinal) ? ClassTokenizers.Bert(path, config) : TokenizerJson.Read(path, config);
    }
}
