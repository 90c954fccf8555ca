using VlmKernels.Inputs;
using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>Finds what belongs to a BLIP checkpoint: how its pictures are prepared and how its texts become ids.</summary>
public static class BlipFiles
{
    private const string Preprocessor = "preprocessor_config.json", Vocabulary = "vocab.txt", Shipped = "bert-tokenizer";

    // transformers' names of tokenizer files.
    private static readonly string[] TokenizerFiles = ["tokenizer.json", Vocabulary];

    /// <summary>HF: preprocessor_config.json. Original: squashed to the model's size, as its code does.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="notes">Receives what had to be assumed, for people.</param>
    /// <exception cref="ConfigFormatException">The configuration is broken, or prepares pictures of another size than the model takes.</exception>
    public static ImagePipeline Pipeline(BlipCheckpoint checkpoint, ICollection<string>? notes = null)
    {
        int size = checkpoint.Config.Vision.ImageSize;
        string file = Path.Combine(BesideCheckpoint.Folder(checkpoint.Path), Preprocessor);
        if (!checkpoint.IsHuggingFace) return ImagePipeline.Blip(size);
        if (!File.Exists(file))
        {
            notes?.Add($"no {Preprocessor} beside the checkpoint: pictures are prepared as salesforce/BLIP does");
            return ImagePipeline.Blip(size);
        }
        return BesideCheckpoint.OfSize(ImagePipeline.FromPreprocessorConfig(file), file, size, checkpoint.ConfigFile ?? checkpoint.Path);
    }

    /// <summary>HF files beside the checkpoint; for the original layout a vocab.txt beside it, or that of bert-base-uncased in a folder of models.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <param name="notes">Receives what had to be assumed, for people.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    /// <exception cref="ConfigFormatException">A file is broken, or has ids that the model does not know.</exception>
    public static ITokenizer Tokenizer(BlipCheckpoint checkpoint, ICollection<string>? notes = null)
    {
        string folder = BesideCheckpoint.Folder(checkpoint.Path);
        if (checkpoint.IsHuggingFace)
        {
            if (!TokenizerFiles.Any(f => File.Exists(Path.Combine(folder, f)))) throw new FileNotFoundException($"{checkpoint.Path}: found no tokenizer; looked for {string.Join(" and ", TokenizerFiles)} in {folder}");
            return Fitting(TokenizerLoader.Load(folder), folder, checkpoint);
        }
        string? vocabulary = new[] { folder }.Concat(ModelCatalog.Roots().Select(r => Path.Combine(r, Shipped))).Select(p => Path.Combine(p, Vocabulary)).FirstOrDefault(File.Exists);
        if (vocabulary is null) throw new FileNotFoundException($"{checkpoint.Path}: found no tokenizer; expected {Vocabulary} in {folder} or in a models/{Shipped} folder");
        if (Path.GetDirectoryName(vocabulary) != folder) notes?.Add($"no {Vocabulary} beside the checkpoint: texts become ids by {vocabulary}");
        return Fitting(TokenizerLoader.LoadBlip(vocabulary), vocabulary, checkpoint);
    }

    private static ITokenizer Fitting(ITokenizer tokenizer, string source, BlipCheckpoint checkpoint) => BesideCheckpoint.Fitting(tokenizer, source, checkpoint.Config.Text.Vocabulary, checkpoint.Path);
}
