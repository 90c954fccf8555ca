using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace VlmKernels.Convert;

/// <summary>A file of the result.</summary>
internal sealed record ResultFile(string Name, IReadOnlyList<PlannedTensor> Tensors);

/// <summary>
/// Which files a result has: one, or shards and an index, named as transformers names them (<c>model-00001-of-00003.safetensors</c>,
/// <c>model.safetensors.index.json</c>).
/// </summary>
internal sealed class ResultFiles
{
    private const string Extension = ".safetensors";

    private readonly string _stem;

    private ResultFiles(string folder, string stem, IReadOnlyList<ResultFile> files) => (Folder, _stem, Files) = (folder, stem, files);

    public string Folder { get; }

    public IReadOnlyList<ResultFile> Files { get; }

    /// <summary>Name of the index; null where there are no shards.</summary>
    public string? Index => Files.Count == 1 ? null : $"{_stem}{Extension}.index.json";

    /// <summary>Path of what stands for the whole result.</summary>
    public string Path => System.IO.Path.Combine(Folder, Index ?? Files[0].Name);

    /// <summary>Every file that is there under a name that a result of this name may have.</summary>
    public IReadOnlyList<string> Existing
    {
        get
        {
            if (!Directory.Exists(Folder)) return [];
            var family = new Regex($@"^{Regex.Escape(_stem)}(-\d{{5}}-of-\d{{5}})?\{Extension}$|^{Regex.Escape(_stem)}\{Extension}\.index\.json$", RegexOptions.CultureInvariant);
            return [.. Directory.EnumerateFiles(Folder).Where(path => family.IsMatch(System.IO.Path.GetFileName(path))).Order(StringComparer.Ordinal)];
        }
    }

    /// <param name="result">A name that ends with <c>.safetensors</c>, or a folder, in which the name is <c>model.safetensors</c>.</param>
    /// <param name="tensors">The tensors, in the order in which shards take them.</param>
    /// <param name="shardSize">Most bytes of tensors in a shard, but for a tensor that is larger by itself; null = one file.</param>
    /// <exception cref="ArgumentException">The name is of another kind.</exception>
    public static ResultFiles Of(string result, IReadOnlyList<PlannedTensor> tensors, long? shardSize)
    {
        (string folder, string stem) = Name(result);
        var shards = new List<List<PlannedTensor>> { new() };
        long size = 0;
        foreach (PlannedTensor tensor in tensors)
        {
            if (shards[^1].Count > 0 && tensor.ByteLength > shardSize - size) (size, shards) = (0, [.. shards, []]);
            shards[^1].Add(tensor);
            size += tensor.ByteLength;
        }
        if (shards.Count == 1) return new ResultFiles(folder, stem, [new ResultFile(stem + Extension, tensors)]);
        string FileName(int i) => string.Create(CultureInfo.InvariantCulture, $"{stem}-{i + 1:D5}-of-{shards.Count:D5}{Extension}");
        return new ResultFiles(folder, stem, [.. shards.Select((shard, i) => new ResultFile(FileName(i), shard))]);
    }

    /// <summary>The index: which shard holds which tensor.</summary>
    public byte[] WriteIndex()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", Files.Sum(file => file.Tensors.Sum(tensor => tensor.ByteLength)));
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach ((string name, string file) in Files.SelectMany(file => file.Tensors.Select(tensor => (tensor.Name, file.Name))).OrderBy(pair => pair.Item1, StringComparer.Ordinal)) json.WriteString(name, file);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    private static (string Folder, string Stem) Name(string result)
    {
        const string usual = "model";
        string full = System.IO.Path.GetFullPath(result);
        if (Directory.Exists(full) || System.IO.Path.EndsInDirectorySeparator(result) || !System.IO.Path.HasExtension(full)) return (full, usual);
        string name = System.IO.Path.GetFileName(full);
        if (!name.EndsWith(Extension, StringComparison.Ordinal) || name.Length == Extension.Length) throw new ArgumentException($"{result}: expected a name that ends with {Extension}, or a folder (one that is not there yet ends with /), found another");
        return (System.IO.Path.GetDirectoryName(full)!, name[..^Extension.Length]);
    }
}
