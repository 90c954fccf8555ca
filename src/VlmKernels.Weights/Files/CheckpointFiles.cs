namespace VlmKernels.Weights;

/// <summary>A file in a folder that holds, or indexes, a whole checkpoint.</summary>
/// <param name="Path">Path of the file.</param>
/// <param name="IsReadable">Whether <see cref="Checkpoint.Open"/> reads this kind of file; false for PyTorch's own formats.</param>
public sealed record CheckpointFile(string Path, bool IsReadable);

/// <summary>Finds checkpoints by the names under which they are published.</summary>
public static class CheckpointFiles
{
    internal const string Safetensors = ".safetensors";
    internal const string SafetensorsIndex = ".safetensors.index.json";
    private const string BinIndex = ".bin.index.json";

    private static readonly string[] Preferred = ["model.safetensors", "open_clip_model.safetensors", "model.safetensors.index.json"];
    private static readonly string[] PyTorch = [".pt", ".pth", ".bin", ".ckpt"];

    // What trainers leave beside the weights; golden.safetensors holds a test's expected values.
    private static readonly string[] Never = ["golden.safetensors", "training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "rng_state.pth"];

    /// <summary>
    /// Every file of a folder (not of folders below it) that <see cref="Checkpoint.Open"/> may be asked to open, those it reads first, then by
    /// name. A sharded checkpoint counts once, as its index. <c>golden.safetensors</c> is never a checkpoint.
    /// </summary>
    /// <exception cref="WeightFileException">The folder cannot be listed.</exception>
    public static IReadOnlyList<CheckpointFile> List(string folder)
    {
        string[] files = FileNames(folder);
        HashSet<string> shards = [.. files.SelectMany(name => Shards(folder, name))];
        return
        [
            .. files.Where(name => !shards.Contains(name) && !Never.Contains(name) && (IsReadable(name) || IsPyTorch(name)))
                .OrderByDescending(IsReadable).ThenBy(name => name, StringComparer.Ordinal)
                .Select(name => new CheckpointFile(Path.Combine(folder, name), IsReadable(name))),
        ];
    }

    /// <summary>
    /// The file that stands for a folder: <c>model.safetensors</c>, <c>open_clip_model.safetensors</c>, <c>model.safetensors.index.json</c>, or
    /// the only file that <see cref="Checkpoint.Open"/> reads.
    /// </summary>
    /// <exception cref="WeightFileException">There is none, or there are several and none has one of the usual names.</exception>
    public static string Choose(string folder)
    {
        IReadOnlyList<CheckpointFile> files = List(folder);
        string[] readable = [.. files.Where(f => f.IsReadable).Select(f => Path.GetFileName(f.Path))];
        string? choice = Preferred.FirstOrDefault(readable.Contains) ?? (readable.Length == 1 ? readable[0] : null);
        if (choice is not null) return Path.Combine(folder, choice);
        if (readable.Length > 1) throw new WeightFileException(folder, null, "one checkpoint, or one of the usual names", $"{string.Join(", ", readable)}; give the path of one of them");
        if (files.Count == 0) throw new WeightFileException(folder, null, "a .safetensors file", "no checkpoint at all");
        throw NotReadYet(folder, string.Join(", ", files.Select(f => Path.GetFileName(f.Path))));
    }

    internal static WeightFileException NotReadYet(string path, string found) =>
        new(path, null, "a safetensors checkpoint", $"{found}; PyTorch files are not read yet by this version");

    internal static bool IsReadable(string name) =>
        name.EndsWith(Safetensors, StringComparison.OrdinalIgnoreCase) || name.EndsWith(SafetensorsIndex, StringComparison.OrdinalIgnoreCase);

    internal static bool IsPyTorch(string name) =>
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
        string? extension = name.EndsWith(SafetensorsIndex, StringComparison.OrdinalIgnoreCase) ? Safetensors
            : name.EndsWith(BinIndex, StringComparison.OrdinalIgnoreCase) ? ".bin" : null;
        if (extension is null) return [];
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
