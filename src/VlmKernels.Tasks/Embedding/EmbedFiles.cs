namespace VlmKernels.Tasks;

/// <summary>
/// The files of one shard in an output folder, laid out as clip-retrieval does. Work goes on in hidden partial files beside the final names.
/// </summary>
internal sealed class EmbedFiles
{
    private readonly string _folder;

    public EmbedFiles(string folder, bool texts, RowFormat format, int shard)
    {
        string rows = texts ? "text_emb" : "img_emb";
        (_folder, Folders) = (folder, [Path.Combine(folder, rows), Path.Combine(folder, "metadata")]);
        Rows = Path.Combine(Folders[0], $"{rows}_{shard}.{RowFile.Extension(format)}");
        Metadata = Path.Combine(Folders[1], $"metadata_{shard}.parquet");
        Errors = Path.Combine(folder, $"errors_{shard}.jsonl");
        Run = Path.Combine(folder, $"run_{shard}.json");
        Lock = Path.Combine(folder, $".run_{shard}.lock");
    }

    public string Rows { get; }

    public string Metadata { get; }

    public string Errors { get; }

    public string Run { get; }

    public string Lock { get; }

    private string[] Folders { get; }

    /// <summary>Where a file is made before it gets its name.</summary>
    public static string Partial(string file) => Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileNameWithoutExtension(file)}.partial");

    public void MakeFolders()
    {
        Directory.CreateDirectory(_folder);
        foreach (string folder in Folders) Directory.CreateDirectory(folder);
    }

    /// <summary>Refuses files that no run accounts for.</summary>
    /// <exception cref="IOException">There is one.</exception>
    public void RequireNone()
    {
        foreach (string file in (string[])[Rows, Metadata, Errors])
        {
            if (File.Exists(file)) throw new IOException($"{file}: exists, but {Run} that would say what it was made from does not; --overwrite replaces it");
        }
    }

    /// <summary>Deletes what any run of the shard left; the run's own file first, without which the others count for nothing.</summary>
    public static void Delete(string folder, int shard)
    {
        foreach (bool texts in (ReadOnlySpan<bool>)[false, true])
        {
            foreach (var format in Enum.GetValues<RowFormat>()) new EmbedFiles(folder, texts, format, shard).Delete();
        }
    }

    private void Delete()
    {
        foreach (string file in (string[])[Run, Rows, Metadata, Errors])
        {
            if (File.Exists(file)) File.Delete(file);
            if (File.Exists(Partial(file))) File.Delete(Partial(file));
        }
    }
}
