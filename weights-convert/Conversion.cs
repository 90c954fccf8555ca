using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>What is to become of a checkpoint.</summary>
/// <param name="DType">Type of floating-point tensors; null = as they are.</param>
/// <param name="HuggingFace">Whether names and shapes become those of Hugging Face.</param>
/// <param name="Renames">Rules <c>FROM=TO</c>, each applied to what the one before has left.</param>
internal sealed record ConversionOptions(FileDType? DType = null, bool HuggingFace = false, IReadOnlyList<string>? Renames = null);

/// <summary>A checkpoint and the tensors that it becomes. Nothing is read before they are written or compared.</summary>
internal sealed class Conversion : IDisposable
{
    private Conversion(Checkpoint checkpoint, LayoutView view, IReadOnlyList<PlannedTensor> tensors)
    {
        (Checkpoint, Tensors) = (checkpoint, tensors);
        Notes =
        [
            .. checkpoint.Notes,
            .. view.Ignored.Count == 0 ? [] : new[] { $"left out, no weights in the {view.Layout.Name}: {string.Join(", ", view.Ignored.Select(ignored => ignored.Key))}" },
            .. checkpoint.Aliases.Select(names => $"{string.Join(", ", names)}: one tensor in {Path.GetFileName(checkpoint.Path)}, which safetensors cannot say; written under each name"),
        ];
        Metadata = new Dictionary<string, string>(checkpoint.Metadata) { ["format"] = "pt" };
    }

    public Checkpoint Checkpoint { get; }

    public IReadOnlyList<PlannedTensor> Tensors { get; }

    /// <summary>What is left out or changes, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The result's <c>__metadata__</c>: the source's, and the format that loaders ask for.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    public long ByteLength => Tensors.Sum(tensor => tensor.ByteLength);

    /// <exception cref="WeightFileException">The checkpoint cannot be read, has no such layout, or two tensors would have one name.</exception>
    /// <exception cref="ArgumentException">A rule is none, or fits no name.</exception>
    public static Conversion Open(string source, ConversionOptions options)
    {
        Renaming[] renames = [.. (options.Renames ?? []).Select(Renaming.Parse)];
        Checkpoint checkpoint = Checkpoint.Open(source);
        try
        {
            if (checkpoint.Tensors.Count == 0) throw new WeightFileException(checkpoint.Path, null, "tensors", "none");
            LayoutView view = Layout(checkpoint, options.HuggingFace).Over(checkpoint.Path, checkpoint.Tensors.Values);
            return new Conversion(checkpoint, view, Plan(view, renames, options.DType));
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
    }

    public void Dispose() => Checkpoint.Dispose();

    private static Layout Layout(Checkpoint checkpoint, bool huggingFace)
    {
        if (!huggingFace) return new Layout("as stored");
        CheckpointKind kind = CheckpointKind.Recognise(checkpoint.Tensors.Keys);
        if (kind.Layout is not { } layout) throw new WeightFileException(checkpoint.Path, null, "a checkpoint of CLIP or BLIP for --layout hf", kind.Reason);
        bool isResNet = layout == ClipLayouts.OpenAiResNet || layout == ClipLayouts.CustomTextResNet;
        return isResNet ? throw new WeightFileException(checkpoint.Path, null, "a CLIP with a ViT for --layout hf", "a ResNet, for which Hugging Face has no names") : layout;
    }

    private static List<PlannedTensor> Plan(LayoutView view, Renaming[] renames, FileDType? dtype)
    {
        var plan = new Dictionary<string, PlannedTensor>(StringComparer.Ordinal);
        foreach (string name in view.Names)
        {
            WeightView source = view.Find(name)!;
            string renamed = renames.Aggregate(name, (current, rule) => rule.Apply(current));
            var tensor = new PlannedTensor(renamed, source, source.DType.IsInteger() ? source.DType : dtype ?? source.DType);
            if (!plan.TryAdd(renamed, tensor)) throw new WeightFileException(view.Origin, source.Key, $"one tensor that becomes {renamed}", $"{plan[renamed].Source.Key} as well");
        }
        foreach (Renaming rule in renames) rule.ExpectUse();
        return [.. plan.Values];
    }
}
