using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>Finds what belongs to a CLIP checkpoint: how its pictures are prepared and how its texts become ids.</summary>
internal static class ClipFiles
{
    private const string Preprocessor = "preprocessor_config.json";
    private const string OpenClip = "open_clip_config.json";
    private const string Merges = "bpe_simple_vocab_16e6.txt.gz";

    // transformers' names of tokenizer files.
    private static readonly string[] TokenizerFiles = ["tokenizer.json", "vocab.json"];

    /// <summary>HF: preprocessor_config.json. open_clip: preprocess_cfg of its configuration. Otherwise OpenAI's rule at the model's size.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="notes">Receives what had to be assumed, for people.</param>
    /// <exception cref="ConfigFormatException">A configuration is broken, or prepares pictures of another size than the model takes.</exception>
    public static ImagePipeline Pipeline(ClipCheckpoint checkpoint, ICollection<string>? notes = null)
    {
        int size = checkpoint.Config.ImageSize;
        if (size == 0) return ImagePipeline.OpenAi(size);
        string preprocessor = Path.Combine(BesideCheckpoint.Folder(checkpoint.Path), Preprocessor);
        if (IsHuggingFace(checkpoint) && File.Exists(preprocessor)) return BesideCheckpoint.OfSize(ImagePipeline.FromPreprocessorConfig(preprocessor), preprocessor, size, checkpoint.ConfigFile ?? checkpoint.Path);
        if (checkpoint.ConfigFile is { } file && Path.GetFileName(file) == OpenClip)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            if (json.RootElement.TryGetProperty("preprocess_cfg", out var rules)) return BesideCheckpoint.OfSize(ImagePipeline.OpenClip(rules, size, file), file, size, checkpoint.ConfigFile ?? checkpoint.Path);
            notes?.Add($"no preprocess_cfg in {file}: pictures are prepared as OpenAI does");
            return ImagePipeline.OpenAi(size);
        }
        notes?.Add($"no {(IsHuggingFace(checkpoint) ? Preprocessor : OpenClip)} beside the checkpoint: pictures are prepared as OpenAI does");
        return ImagePipeline.OpenAi(size);
    }

    /// <summary>HF files beside the checkpoint; for the other layouts their list of merges, beside it or in a folder of models.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="notes">Receives what had to be assumed, for people.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="ConfigFormatException">A file is broken, or has ids that the model does not know.</exception>
    public static ITokenizer Tokenizer(ClipCheckpoint checkpoint, ICollection<string>? notes = null)
    {
        string folder = BesideCheckpoint.Folder(checkpoint.Path);
        // No other vocabulary in its place: any published one has as many ids, and other meanings.
        if (IsHuggingFace(checkpoint) && (checkpoint.Config.Text is not null || HasTokenizer(folder)))
        {
            if (!HasTokenizer(folder)) throw new FileNotFoundException($"{checkpoint.Path}: found no tokenizer; looked for {string.Join(" and ", TokenizerFiles)} in {folder}");
            return Fitting(TokenizerLoader.Load(folder), folder, checkpoint);
        }
        string? merges = SharedMerges().Prepend(Path.Combine(folder, Merges)).FirstOrDefault(File.Exists);
        if (merges is null) throw new FileNotFoundException($"{checkpoint.Path}: found no tokenizer; expected {Merges} in {folder} or in a models/clip-tokenizer folder");
        if (Path.GetDirectoryName(merges) != folder) notes?.Add($"no {Merges} beside the checkpoint: texts become ids by {merges}");
        return Fitting(checkpoint.ConfigFile is null ? TokenizerLoader.LoadOpenAi(merges) : TokenizerLoader.LoadOpenClip(merges), merges, checkpoint);
    }

    /// <summary>OpenAI's tokenizer from a folder of models.</summary>
    /// <exception cref="FileNotFoundException">No folder of models has the list of merges.</exception>
    public static ITokenizer OpenAiTokenizer()
    {
        string? merges = SharedMerges().FirstOrDefault(File.Exists);
        return merges is null ? throw new FileNotFoundException($"found no tokenizer; expected {Merges} in a models/clip-tokenizer folder") : TokenizerLoader.LoadOpenAi(merges);
    }

    private static ITokenizer Fitting(ITokenizer tokenizer, string source, ClipCheckpoint checkpoint)
        => checkpoint.Config.Text is { } text ? BesideCheckpoint.Fitting(tokenizer, source, text.Vocabulary, checkpoint.Path) : tokenizer;

    private static bool HasTokenizer(string folder) => TokenizerFiles.Any(f => File.Exists(Path.Combine(folder, f)));

    private static bool IsHuggingFace(ClipCheckpoint checkpoint) => checkpoint.Weights.Layout == ClipLayouts.HuggingFace;

    private static IEnumerable<string> SharedMerges() => ModelCatalog.Roots().Select(r => Path.Combine(r, "clip-tokenizer", Merges));
}
