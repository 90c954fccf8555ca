namespace VlmKernels.Weights;

/// <summary>Finds checkpoints by the names under which they are published.</summary>
public static class CheckpointFiles
{
    internal const string Safetensors = ".safetensors";
    private const string SafetensorsIndex = ".safetensors.index.json", BinIndex = ".bin.index.json";

    private static readonly string[] Preferred =
    [
        "model.safetensors", "open_clip_model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "open_clip_pytorch_model.bin", "pytorch_model.bin.index.json",
    ];

    private static readonly string[] PyTorch = [".pt", ".pth", ".bin", ".ckpt"];

    // What trainers leave beside the weights; golden.safetensors holds a test's expected values.
    private static readonly string[] Never = ["golden.safetensors", "training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state.pth"];

    /// <summary>
    /// Every file of a folder (not of folders below it) that <see cref="Checkpoint.Open"/> may be asked to open, safetensors first, then by
    /// name. A sharded checkpoint counts once, as its index. <c>golden.safetensors</c> is never a checkpoint.
    /// </summary>
    /// <exception cref="WeightFileException">The folder cannot be listed.</exception>
    public static IReadOnlyList<string> List(string folder)
    {
        string[] files = FileNames(folder);
        HashSet<string> shards = [.. files.SelectMany(name => Shards(folder, name))];
        return
        [
            .. files.Where(name => !shards.Contains(name) && !Never.Contains(name) && (IsSafetensors(name) || IsPyTorch(name)))
                .OrderByDescending(IsSafetensors).ThenBy(name => name, StringComparer.Ordinal).Select(name => Path.Combine(folder, name)),
        ];
    }

    /// <summary>
    /// The file that stands for a folder: <c>model.safetensors</c> or another of the names under which models are published, the only safetensors
    /// checkpoint, or the only PyTorch file.
    /// </summary>
    /// <exception cref="WeightFileException">There is none, or there are several and none has one of the usual names.</exception>
    public static string Choose(string folder)
    {
        string[] files = [.. List(folder).Select(path => Path.GetFileName(path))];
        string[] safetensors = [.. files.Where(IsSafetensors)], first = safetensors.Length > 0 ? safetensors : files;
        string? choice = Preferred.FirstOrDefault(first.Contains) ?? (first.Length == 1 ? first[0] : null);
        if (choice is not null) return Path.Combine(folder, choice);
        if (first.Length > 1) throw new WeightFileException(folder, null, "one checkpoint, or one of the usual names", $"{string.Join(", ", first)}; give the path of one of them");
        throw new WeightFileException(folder, null, "a safetensors or PyTorch file", "no checkpoint at all");
    }

    /// <summary>What the names of an index's shards end with; null for a file that is no index.</summary>
    internal static string? ShardExtension(string name) => name.EndsWith(SafetensorsIndex, StringComparison.OrdinalIgnoreCase) ? Safetensors
        : name.EndsWith(BinIndex, StringComparison.OrdinalIgnoreCase) ? ".bin" : null;

    private static bool IsSafetensors(string name) =>
        name.EndsWith(Safetensors, StringComparison.OrdinalIgnoreCase) || name.EndsWith(SafetensorsIndex, StringComparison.OrdinalIgnoreCase);

    private static bool IsPyTorch(string name) =>
        PyTorch.Contains(Path.GetExtension(name), StringComparer.OrdinalIgnoreCase) || name.EndsWith(BinIndex, StringComparison.OrdinalIgnoreCase);

    private static string[] FileNames(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Select(path => Path.GetFileName(path)!)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new WeightFileException(folder, null, "a folder that can be listed", e.Message, e);
        }
    }

    /// <summary>The shards that an index names. None when it is broken: then its shards are listed singly, and opening it tells what is wrong.</summary>
    private static IEnumerable<string> Shards(string folder, string name)
    {
        if (ShardExtension(name) is not { } extension) return [];
        try
        {
            return ShardIndex.Read(Path.Combine(folder, name), extension).Values.Distinct();
        }
        catch (WeightFileException)
        {
            return [];
        }
    }
}
