using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>A part of a model or a rule that it goes by, in words.</summary>
/// <param name="Name">What it is about: <c>image tower</c>.</param>
/// <param name="Value">Sizes and rules.</param>
public sealed record ModelFact(string Name, string Value);

/// <summary>What a checkpoint is, without loading it.</summary>
/// <param name="Path">The checkpoint file or the index of its shards.</param>
/// <param name="Files">All files that hold tensors.</param>
/// <param name="Kind">What the tensors' names told.</param>
/// <param name="Description">What the model is; null when it is not supported.</param>
/// <param name="Facts">Its sizes and rules; none when it is not supported or its configuration is missing.</param>
/// <param name="ConfigFile">The file that gave them; null when they were inferred or are unknown.</param>
/// <param name="Notes">What had to be assumed, and what was left out.</param>
/// <param name="Tensors">The tensors, repeated layers in one line each.</param>
/// <param name="Metadata">Free texts in the files' headers.</param>
public sealed record Inspection(string Path, IReadOnlyList<string> Files, CheckpointKind Kind, string? Description, IReadOnlyList<ModelFact> Facts, string? ConfigFile,
    IReadOnlyList<string> Notes, IReadOnlyList<TensorGroup> Tensors, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>Values in all tensors of the files, buffers included.</summary>
    public long Parameters => Tensors.Sum(t => t.Parameters);

    /// <summary>Bytes of all tensors in the files.</summary>
    public long Bytes => Tensors.Sum(t => t.Bytes);

    /// <summary>Opens a checkpoint and looks at names, shapes and configuration. Architectures that are not supported are shown, too.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <exception cref="WeightFileException">The file cannot be read.</exception>
    /// <exception cref="Inputs.ConfigFormatException">The configuration of a supported architecture is broken.</exception>
    public static Inspection Of(string path)
    {
        using var files = Checkpoint.Open(path);
        var kind = CheckpointKind.Recognise(files.Tensors.Keys);
        var tensors = TensorTree.Group(files.Tensors.Values);
        string[] names = [.. files.Files];
        var metadata = files.Metadata.ToDictionary();
        if (!kind.IsSupported) return new Inspection(files.Path, names, kind, null, [], null, files.Notes, tensors, metadata);
        if (kind.Family == CheckpointKind.Blip)
        {
            using var blip = BlipCheckpoint.Open(path);
            return new Inspection(blip.Path, names, blip.Kind, blip.Description, ModelFacts.Of(blip), blip.ConfigFile, blip.Notes, tensors, metadata);
        }
        if (ClipCheckpoint.LacksConfig(files.Path, kind.Layout!))
        {
            string note = "no config.json beside the checkpoint: it gives the sizes that the tensors don't tell, and without it the model cannot be loaded";
            return new Inspection(files.Path, names, kind, $"{kind.Family} ({kind.Layout!.Name})", [], null, [note, .. files.Notes], tensors, metadata);
        }
        using var clip = ClipCheckpoint.Open(path);
        return new Inspection(clip.Path, names, clip.Kind, clip.Description, ModelFacts.Of(clip.Config), clip.ConfigFile, clip.Notes, tensors, metadata);
    }
}
