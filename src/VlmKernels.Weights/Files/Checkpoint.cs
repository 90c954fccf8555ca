namespace VlmKernels.Weights;

/// <summary>A model's tensors by name, from one file or from the shards of one index.</summary>
public sealed class Checkpoint : IDisposable
{
    private readonly IReadOnlyList<WeightFile> _files;

    private Checkpoint(string path, IReadOnlyList<WeightFile> files, IReadOnlyDictionary<string, StoredTensor> tensors)
    {
        Path = path;
        _files = files;
        Tensors = tensors;
        Notes = [.. files.SelectMany(f => f.Notes).Distinct()];
        Metadata = files.SelectMany(f => f.Metadata).DistinctBy(pair => pair.Key).ToDictionary(StringComparer.Ordinal);
    }

    /// <summary>Path of the file or index that was opened; for a folder, of the file chosen in it.</summary>
    public string Path { get; }

    /// <summary>Paths of the files that hold the tensors.</summary>
    public IEnumerable<string> Files => _files.Select(f => f.Path);

    /// <summary>The tensors by their names in the file.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <summary>The files' <c>__metadata__</c>. Where shards differ at a key, the first shard's value.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>What the files hold besides and was left out, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Groups of names under which a file holds one tensor, as tied weights are: the same bytes in the same shape. Shards share none.</summary>
    public IReadOnlyList<IReadOnlyList<string>> Aliases =>
    [
        .. Tensors.Values.OfType<TorchTensor>().GroupBy(tensor => tensor.Identity).Where(group => group.Skip(1).Any()).Select(group => group.Select(tensor => tensor.Name).ToArray()),
    ];

    /// <summary>
    /// Opens a safetensors or PyTorch file, an index (<c>.safetensors.index.json</c>, <c>.bin.index.json</c>) with its shards, or a folder (see
    /// <see cref="CheckpointFiles.Choose"/>).
    /// </summary>
    /// <exception cref="WeightFileException">Nothing readable is there, a file breaks the format, or index and shards disagree.</exception>
    public static Checkpoint Open(string path)
    {
        if (Directory.Exists(path)) path = CheckpointFiles.Choose(path);
        string name = System.IO.Path.GetFileName(path);
        if (!File.Exists(path)) throw new WeightFileException(path, null, "a checkpoint file or a folder that holds one", "nothing");
        return CheckpointFiles.ShardExtension(name) is { } extension ? OpenSharded(path, extension) : OpenSingle(path);
    }

    /// <summary>Tests every checksum that the files have; damage shows without it when a tensor is read.</summary>
    /// <exception cref="WeightFileException">Bytes are not those that were written.</exception>
    public void Verify()
    {
        foreach (WeightFile file in _files) file.Verify();
    }

    /// <summary>Unmaps all files; their tensors can no longer be read.</summary>
    public void Dispose()
    {
        foreach (WeightFile file in _files) file.Dispose();
    }

    private static Checkpoint OpenSingle(string path)
    {
        WeightFile file = WeightFile.Open(path);
        return new Checkpoint(path, [file], file.Tensors);
    }

    private static Checkpoint OpenSharded(string path, string extension)
    {
        IReadOnlyDictionary<string, string> map = ShardIndex.Read(path, extension);
        string folder = System.IO.Path.GetDirectoryName(path) ?? "";
        var shards = new Dictionary<string, WeightFile>(StringComparer.Ordinal);
        try
        {
            foreach (string shard in map.Values.Distinct().Order(StringComparer.Ordinal))
            {
                shards.Add(shard, WeightFile.Open(System.IO.Path.Combine(folder, shard)));
            }
            return new Checkpoint(path, [.. shards.Values], Join(path, map, shards));
        }
        catch
        {
            foreach (WeightFile shard in shards.Values) shard.Dispose();
            throw;
        }
    }

    /// <summary>Index and shards must name the same tensors: a tensor left out of either is a sign of mixed downloads.</summary>
    private static Dictionary<string, StoredTensor> Join(string path, IReadOnlyDictionary<string, string> map, Dictionary<string, WeightFile> shards)
    {
        var tensors = new Dictionary<string, StoredTensor>(map.Count, StringComparer.Ordinal);
        foreach ((string name, string shard) in map)
        {
            if (!shards[shard].Tensors.TryGetValue(name, out StoredTensor? tensor)) throw new WeightFileException(shards[shard].Path, name, $"the tensor, as {path} says", "no such tensor");
            tensors.Add(name, tensor);
        }
        foreach ((string shard, WeightFile file) in shards)
        {
            foreach (string name in file.Tensors.Keys)
            {
                if (!map.TryGetValue(name, out string? listed)) throw new WeightFileException(file.Path, name, $"only tensors that {path} lists", "this one too");
                if (listed != shard) throw new WeightFileException(file.Path, name, $"the tensor only in {listed}, as {path} says", "it here too");
            }
        }
        return tensors;
    }
}
