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
    public static ImagePipeline Pipeline(ClipCheckpoint checkpoint)
    {
        string folder = Folder(checkpoint), preprocessor = Path.Combine(folder, Preprocessor);
        int size = checkpoint.Config.ImageSize;
        if (IsHuggingFace(checkpoint) && File.Exists(preprocessor)) return ImagePipeline.FromPreprocessorConfig(preprocessor);
        if (checkpoint.ConfigFile is not { } file || Path.GetFileName(file) != OpenClip) return ImagePipeline.OpenAi(size);
        using var json = JsonDocument.Parse(File.ReadAllBytes(file));
        return json.RootElement.TryGetProperty("preprocess_cfg", out var rules) ? ImagePipeline.OpenClip(rules, size, file) : ImagePipeline.OpenAi(size);
    }

    /// <summary>HF files beside the checkpoint; for the other layouts their list of merges, beside it or in a folder of models.</summary>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static ITokenizer Tokenizer(ClipCheckpoint checkpoint)
    {
        string folder = Folder(checkpoint);
        if (IsHuggingFace(checkpoint) && TokenizerFiles.Any(f => File.Exists(Path.Combine(folder, f)))) return TokenizerLoader.Load(folder);
        string? merges = Places(folder).Select(p => Path.Combine(p, Merges)).FirstOrDefault(File.Exists);
        if (merges is null) throw new FileNotFoundException($"{checkpoint.Path}: found no tokenizer; expected {string.Join(" or ", TokenizerFiles)} (HF) or {Merges} (OpenAI, open_clip) in {folder}, or {Merges} in a models/clip-tokenizer folder");
        return checkpoint.ConfigFile is null ? TokenizerLoader.LoadOpenAi(merges) : TokenizerLoader.LoadOpenClip(merges);
    }

    private static bool IsHuggingFace(ClipCheckpoint checkpoint) => checkpoint.Weights.Layout == ClipLayouts.HuggingFace;

    private static string Folder(ClipCheckpoint checkpoint) => Path.GetDirectoryName(Path.GetFullPath(checkpoint.Path))!;

    private static IEnumerable<string> Places(string folder) => [folder, .. ModelCatalog.Roots().Select(r => Path.Combine(r, "clip-tokenizer"))];
}
