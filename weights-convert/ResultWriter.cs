using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>
/// Writes a result into a folder of its own beside the place where it belongs and moves it there when it is complete, the index last: whatever
/// stops it, no file has its final name before it is whole, and no index names a shard that is not there.
/// </summary>
internal sealed class ResultWriter(Conversion conversion, ResultFiles files)
{
    private const long HeaderBytesPerTensor = 256;

    /// <exception cref="IOException">The result is there already, or is the source.</exception>
    public void Check(bool force)
    {
        HashSet<string> sources = [.. conversion.Checkpoint.Files.Append(conversion.Checkpoint.Path).Select(RealPath.Of)];
        foreach (string path in files.Existing)
        {
            if (sources.Contains(RealPath.Of(path))) throw new IOException($"{path}: expected another place for the result, found the source");
            if (!force) throw new IOException($"{path}: expected no result yet, found one; --force replaces it");
        }
        if (File.Exists(files.Folder)) throw new IOException($"{files.Folder}: expected a folder for the result, found a file");
    }

    /// <param name="written">Called with the number of bytes after every piece.</param>
    /// <param name="cancel">Stops the work; nothing is left.</param>
    /// <exception cref="IOException">There is no room, or the files cannot be written.</exception>
    /// <exception cref="WeightFileException">The source is damaged.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public void Write(Action<int> written, CancellationToken cancel)
    {
        Directory.CreateDirectory(files.Folder);
        ExpectRoom();
        string temporary = Directory.CreateDirectory(Path.Combine(files.Folder, $".{Path.GetFileName(files.Path)}.{Path.GetRandomFileName()}.tmp")).FullName;
        try
        {
            foreach (ResultFile file in files.Files)
            {
                SafetensorsWriter.Write(Path.Combine(temporary, file.Name), file.Tensors.Select(tensor => tensor.ToSource(Written)), conversion.Metadata);
            }
            if (files.Index is { } index) WriteIndex(Path.Combine(temporary, index));
            Publish(temporary);
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }

        void Written(int bytes)
        {
            cancel.ThrowIfCancellationRequested();
            written(bytes);
        }
    }

    private void ExpectRoom()
    {
        long needed = conversion.ByteLength + (HeaderBytesPerTensor * conversion.Tensors.Count), free = new DriveInfo(files.Folder).AvailableFreeSpace;
        if (free < needed) throw new IOException($"{files.Folder}: expected {needed} bytes free, found {free}");
    }

    private void WriteIndex(string path)
    {
        using var stream = new FileStream(path, FileMode.CreateNew);
        stream.Write(files.WriteIndex());
        stream.Flush(flushToDisk: true);
    }

    /// <summary>An earlier index goes first, so that it never names shards of two results; what else an earlier result had goes last.</summary>
    private void Publish(string temporary)
    {
        string[] names = [.. files.Files.Select(file => file.Name), .. files.Index is { } index ? [index] : Array.Empty<string>()];
        string[] earlier = [.. files.Existing];
        foreach (string path in earlier.Where(path => path.EndsWith(".json", StringComparison.Ordinal))) File.Delete(path);
        foreach (string name in names) File.Move(Path.Combine(temporary, name), Path.Combine(files.Folder, name), overwrite: true);
        foreach (string path in earlier.Where(path => !names.Contains(Path.GetFileName(path)))) File.Delete(path);
    }
}

/// <summary>Paths without links, so that two ways to one file compare as equal.</summary>
internal static class RealPath
{
    public static string Of(string path)
    {
        path = Path.GetFullPath(path);
        string? parent = Path.GetDirectoryName(path);
        if (parent is null) return path;
        path = Path.Combine(Of(parent), Path.GetFileName(path));
        FileSystemInfo info = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
        return info.ResolveLinkTarget(returnFinalTarget: true) is { } target ? Of(target.FullName) : path;
    }
}
