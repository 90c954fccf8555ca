using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Weights;
using static VlmKernels.Weights.Layout;

namespace VlmKernels.Models;

/// <summary>What a BLIP checkpoint can be loaded as.</summary>
public enum BlipTask
{
    /// <summary>Writes captions: <see cref="BlipCaptioner"/>.</summary>
    Caption,
    /// <summary>Answers questions: <see cref="BlipVqa"/>.</summary>
    Answer,
    /// <summary>Compares pictures with texts: <see cref="BlipMatcher"/>.</summary>
    Match,
    /// <summary>Judges statements about two pictures: <see cref="BlipNlvr"/>.</summary>
    Compare,
    /// <summary>Encodes only: <see cref="BlipEncoder"/>.</summary>
    Encode,
    /// <summary>transformers' <c>BlipModel</c>: <see cref="BlipPair"/>.</summary>
    Pair,
}

/// <summary>What a caller knows better than the files.</summary>
public sealed record BlipLoadOptions
{
    /// <summary>Pixels per side; the positions of an original checkpoint are resampled to it. Null: as configured or stored.</summary>
    public int? ImageSize { get; init; }

    /// <summary>Heads of the image tower of an original checkpoint; null: heads of 64.</summary>
    public int? VisionHeads { get; init; }

    /// <summary>Heads of the text transformers; null: as configured (768 wide ones always have 12), or heads of 64.</summary>
    public int? TextHeads { get; init; }

    /// <summary>ε of the image tower's norms; null: 1e-6 for an original checkpoint, otherwise as configured.</summary>
    public float? VisionEpsilon { get; init; }

    /// <summary>Token ids with a meaning; null: as configured, as the vocabulary beside the file has them, or as published.</summary>
    public BlipTokens? Tokens { get; init; }

    /// <summary>What is done where transformers and the original differ; null: as the layout's own implementation does.</summary>
    public BlipConventions? Conventions { get; init; }
}

/// <summary>A BLIP checkpoint, recognised and checked for its configuration but not loaded: what <c>inspect</c> shows and the Load methods read.</summary>
public sealed class BlipCheckpoint : IDisposable
{
    private const string Vocabulary = "vocab.txt", MedConfigFile = "med_config.json";

    // What each task leaves aside of a file that holds more.
    private static readonly Dictionary<BlipTask, string[]> Unneeded = new()
    {
        [BlipTask.Caption] = ["text_encoder.*", "vision_proj.*", "text_proj.*", "itm_head.*"],
        [BlipTask.Answer] = [],
        [BlipTask.Match] = ["text_decoder.*"],
        [BlipTask.Compare] = ["text_decoder.*", "vision_proj.*", "text_proj.*", "itm_head.*"],
        [BlipTask.Encode] = ["text_decoder.*", "vision_proj.*", "text_proj.*", "itm_head.*", "cls_head.*"],
        [BlipTask.Pair] = [],
    };

    private readonly Checkpoint _files;

    private BlipCheckpoint(Checkpoint files, CheckpointKind kind, LayoutView weights, BlipConfig config, string? configFile, IReadOnlyList<string> notes)
    {
        (_files, Kind, Weights, Config, ConfigFile, Notes) = (files, kind, weights, config, configFile, notes);
        Tasks = TasksOf(weights);
    }

    /// <summary>Path of the checkpoint file or of its shards' index.</summary>
    public string Path => _files.Path;

    /// <summary>What the tensors' names told.</summary>
    public CheckpointKind Kind { get; }

    /// <summary>All tensors under the names that the models ask for.</summary>
    public LayoutView Weights { get; }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>The configuration file that gave them; null when they were inferred from the tensors.</summary>
    public string? ConfigFile { get; }

    /// <summary>What had to be assumed, and what the files hold besides, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>What the checkpoint can be loaded as, its main purpose first.</summary>
    public IReadOnlyList<BlipTask> Tasks { get; }

    /// <summary>True when the file has transformers' names.</summary>
    public bool IsHuggingFace => Weights.Layout == BlipLayouts.HuggingFace;

    /// <summary>Name for messages: <c>BLIP base, 384 px, Caption (HF layout)</c>.</summary>
    public string Description => $"{BlipSizes.Describe(Config)}, {string.Join(" and ", Tasks)} ({Weights.Layout.Name})";

    /// <summary>Opens a checkpoint and finds out what it is. Configurations are looked for beside the file.</summary>
    /// <param name="path">A file, an index of shards, or a folder.</param>
    /// <param name="options">What the caller knows better.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is of another architecture.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    public static BlipCheckpoint Open(string path, BlipLoadOptions? options = null)
    {
        var files = Checkpoint.Open(path);
        try
        {
            var kind = CheckpointKind.Recognise(files.Tensors.Keys);
            if (kind.Family != CheckpointKind.Blip || kind.Layout is null) throw new WeightFileException(files.Path, null, "a BLIP checkpoint", kind.Reason);
            var weights = kind.Layout.Over(files.Path, files.Tensors.Values);
            var notes = files.Notes.ToList();
            bool isHuggingFace = weights.Layout == BlipLayouts.HuggingFace;
            string configFile = Beside(files.Path, isHuggingFace ? "config.json" : MedConfigFile);
            if (isHuggingFace && !File.Exists(configFile)) throw new WeightFileException(files.Path, null, "config.json beside a checkpoint in the HF layout", "no such file");
            options ??= new BlipLoadOptions();
            var config = isHuggingFace ? BlipHfConfig.Parse(File.ReadAllBytes(configFile), configFile, notes) : Infer(weights, configFile, options, notes);
            config = Overrule(config, options);
            Validate(config, File.Exists(configFile) ? configFile : files.Path);
            return new BlipCheckpoint(files, kind, weights, config, File.Exists(configFile) ? configFile : null, notes);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>Loads a model that writes captions. The checkpoint may be closed afterwards.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<BlipCaptioner> LoadCaptioner(IBackend backend) => Load(backend, BlipTask.Caption, root => new BlipCaptioner(root, Config));

    /// <summary>Loads a model that answers questions.</summary>
    /// <exception cref="ConfigFormatException">The decoder looks at tokens of another width than questions have, as only transformers can build it.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<BlipVqa> LoadVqa(IBackend backend)
    {
        int width = Config.Text.Block.HiddenSize;
        if (Config.AnswerCrossWidth == width) return Load(backend, BlipTask.Answer, root => new BlipVqa(root, Config));
        throw new ConfigFormatException(ConfigFile ?? Path, $"questions are {width} wide, but the decoder of answers looks at tokens of {Config.AnswerCrossWidth}");
    }

    /// <summary>Loads a model that compares pictures with texts.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<BlipMatcher> LoadMatcher(IBackend backend) => Load(backend, BlipTask.Match, root => new BlipMatcher(root, Config));

    /// <summary>Loads a model that judges statements about two pictures; of a file for one picture both attentions of a layer start alike.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, such as the head in a file that was only pre-trained, have other shapes or stay unused.</exception>
    public LoadedModel<BlipNlvr> LoadNlvr(IBackend backend) => Load(backend, BlipTask.Compare, root => new BlipNlvr(root, Config));

    /// <summary>Loads the encoders alone.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<BlipEncoder> LoadEncoder(IBackend backend) => Load(backend, BlipTask.Encode, root => new BlipEncoder(root, Config));

    /// <summary>Loads transformers' <c>BlipModel</c>.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<BlipPair> LoadPair(IBackend backend) => Load(backend, BlipTask.Pair, root => new BlipPair(root, Config));

    /// <summary>Closes the files.</summary>
    public void Dispose() => _files.Dispose();

    private LoadedModel<T> Load<T>(IBackend backend, BlipTask task, Func<WeightNode, T> build) where T : class
    {
        var layout = Weights.Layout.With(Ignore(Unneeded[task]));
        if (task == BlipTask.Compare) layout = BlipLayouts.Twin(layout);
        return WeightLoader.Load(layout.Over(Path, _files.Tensors.Values), backend, build, Description);
    }

    private static IReadOnlyList<BlipTask> TasksOf(LayoutView w)
    {
        bool encodes = w.Has("text_encoder.embeddings.word_embeddings.weight"), decodes = w.Has("text_decoder.bert.embeddings.word_embeddings.weight");
        if (w.Has("text_model.embeddings.word_embeddings.weight")) return [BlipTask.Pair];
        if (w.Has("cls_head.0.weight")) return [BlipTask.Compare];
        bool matches = w.Has("itm_head.weight");
        if (!encodes) return [BlipTask.Caption];
        if (!decodes) return matches ? [BlipTask.Match, BlipTask.Encode] : [BlipTask.Encode];
        // Both without a head for matching: questions and answers. A pre-trained file has all.
        return matches ? [BlipTask.Caption, BlipTask.Match, BlipTask.Encode] : [BlipTask.Answer];
    }

    private static BlipConfig Infer(LayoutView weights, string medFile, BlipLoadOptions options, List<string> notes)
    {
        var med = File.Exists(medFile) ? ConfigSection.Parse(File.ReadAllBytes(medFile), medFile) : null;
        string vocabulary = Beside(weights.Origin, Vocabulary);
        return new BlipShapes(weights, options, notes).Infer(med, options.Tokens ?? (File.Exists(vocabulary) ? TokensOf(TokenizerLoader.LoadBlip(vocabulary), vocabulary) : null));
    }

    private static BlipTokens TokensOf(ITokenizer tokenizer, string file)
    {
        int Id(string token) => tokenizer.TokenId(token) ?? throw new ConfigFormatException(file, $"the vocabulary lacks {token}");
        return new BlipTokens(Id("[DEC]"), Id("[ENC]"), Id("[SEP]"), Id("[PAD]"));
    }

    private static BlipConfig Overrule(BlipConfig config, BlipLoadOptions options)
    {
        TransformerConfig vision = config.Vision.Block, text = config.Text.Block;
        return config with
        {
            Vision = config.Vision with
            {
                ImageSize = options.ImageSize ?? config.Vision.ImageSize,
                Block = vision with { Heads = options.VisionHeads ?? vision.Heads, NormEpsilon = options.VisionEpsilon ?? vision.NormEpsilon },
            },
            Text = config.Text with { Block = text with { Heads = options.TextHeads ?? text.Heads } },
            Tokens = options.Tokens ?? config.Tokens,
            Conventions = options.Conventions ?? config.Conventions,
        };
    }

    private static void Validate(BlipConfig config, string file)
    {
        try
        {
            config.Validate();
        }
        catch (ContractException e)
        {
            throw new ConfigFormatException($"{file}: {e.Message}", e);
        }
    }

    private static string Beside(string checkpoint, string name) => System.IO.Path.Combine(System.IO.Path.GetDirectoryName(checkpoint) ?? "", name);
}
