using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>What a caller knows better than the files.</summary>
public sealed record ClipLoadOptions
{
    /// <summary>Activation of both transformers; null: as configured, or as inferred when there is no configuration.</summary>
    public Activation? Activation { get; init; }
}

/// <summary>A CLIP checkpoint, recognised and checked for its configuration but not loaded: what <c>inspect</c> shows and <see cref="Load"/> reads.</summary>
public sealed class ClipCheckpoint : IDisposable
{
    private readonly Checkpoint _files;

    private ClipCheckpoint(Checkpoint files, CheckpointKind kind, LayoutView weights, ClipConfig config, string? configFile, IReadOnlyList<string> notes)
    {
        (_files, Kind, Weights, Config, ConfigFile, Notes) = (files, kind, weights, config, configFile, notes);
    }

    /// <summary>Path of the checkpoint file or of its shards' index.</summary>
    public string Path => _files.Path;

    /// <summary>What the tensors' names told.</summary>
    public CheckpointKind Kind { get; }

    /// <summary>The tensors under the names that the model asks for.</summary>
    public LayoutView Weights { get; }

    /// <summary>Sizes and rules of the model.</summary>
    public ClipConfig Config { get; }

    /// <summary>The configuration file that gave them; null when they were inferred from the tensors.</summary>
    public string? ConfigFile { get; }

    /// <summary>What had to be assumed, and what the files hold besides, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Name for messages: <c>CLIP ViT-B/32 (HF layout)</c>.</summary>
    public string Description => $"{ClipSizes.Describe(Config)} ({Weights.Layout.Name})";

    /// <summary>Opens a checkpoint and finds out what it is. Configurations are looked for beside the file.</summary>
    /// <param name="path">A file, an index of shards, or a folder.</param>
    /// <param name="options">What the caller knows better.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is of an architecture that this version does not support.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    public static ClipCheckpoint Open(string path, ClipLoadOptions? options = null)
    {
        var files = Checkpoint.Open(path);
        try
        {
            var kind = CheckpointKind.Recognise(files.Tensors.Keys);
            if (kind.Layout is null) throw new WeightFileException(files.Path, null, "a checkpoint of a supported architecture", kind.Reason);
            if (kind.Family != CheckpointKind.Clip) throw new WeightFileException(files.Path, null, "a CLIP checkpoint", kind.Reason);
            var weights = kind.Layout.Over(files.Path, files.Tensors.Values);
            var notes = files.Notes.ToList();
            string? configFile = FindConfig(files.Path, weights.Layout);
            if (LacksConfig(files.Path, weights.Layout)) throw new WeightFileException(files.Path, null, "config.json beside a checkpoint in the HF layout", "no such file");
            var config = Present(configFile is null ? ClipShapes.Infer(weights, notes) : Read(configFile), weights, notes);
            if (options?.Activation is { } activation) config = config.WithActivation(activation);
            Validate(config, configFile ?? files.Path);
            return new ClipCheckpoint(files, kind, weights, config, configFile, notes);
        }
        catch
        {
            files.Dispose();
            throw;
        }
    }

    /// <summary>True when no configuration lies beside a checkpoint that cannot be loaded without one: its tensors can only be looked at.</summary>
    /// <param name="checkpoint">A checkpoint file or an index of shards.</param>
    /// <param name="layout">Its layout.</param>
    public static bool LacksConfig(string checkpoint, Layout layout)
    {
        // Tensors tell neither heads nor activation, and the HF layout is written for models of every kind.
        return layout == ClipLayouts.HuggingFace && FindConfig(checkpoint, layout) is null;
    }

    /// <summary>Loads the model. The checkpoint may be closed afterwards.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public LoadedModel<ClipModel> Load(IBackend backend) => WeightLoader.Load(Weights, backend, root => new ClipModel(root, Config), Description);

    /// <summary>Closes the files.</summary>
    public void Dispose() => _files.Dispose();

    /// <summary>Each layout has its own configuration; a folder may hold both, beside both kinds of weights.</summary>
    private static string? FindConfig(string checkpoint, Layout layout)
    {
        string name = layout == ClipLayouts.HuggingFace ? "config.json" : "open_clip_config.json";
        string path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(checkpoint) ?? "", name);
        return File.Exists(path) ? path : null;
    }

    private static void Validate(ClipConfig config, string file)
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

    private static ClipConfig Read(string file)
    {
        byte[] json = File.ReadAllBytes(file);
        return System.IO.Path.GetFileName(file) == "config.json" ? ClipHfConfig.Parse(json, file) : OpenClipModelConfig.Parse(json, file);
    }

    /// <summary>A file may hold one tower of a configuration for two.</summary>
    private static ClipConfig Present(ClipConfig config, LayoutView weights, List<string> notes)
    {
        bool hasVision = Any(weights, "vision_model.") || Any(weights, "visual."), hasText = Any(weights, "text_model.");
        if (!hasVision && config.ImageSize > 0) notes.Add("the file has no image tower");
        if (!hasText && config.Text is not null) notes.Add("the file has no text tower");
        return config with { Vision = hasVision ? config.Vision : null, ResNet = hasVision ? config.ResNet : null, Text = hasText ? config.Text : null };
    }

    private static bool Any(LayoutView weights, string prefix) => weights.Names.Any(n => n.StartsWith(prefix, StringComparison.Ordinal));
}
