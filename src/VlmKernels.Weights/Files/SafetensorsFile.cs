namespace VlmKernels.Weights;

/// <summary>
/// A safetensors file, memory-mapped. The layout is an 8-byte little-endian header length, a JSON header, and the tensors' bytes, which cover
/// the rest of the file without gap or overlap (format description and rules of huggingface/safetensors, README and <c>src/tensor.rs</c>).
/// </summary>
/// <remarks>Everything is checked when the file is opened; the tensors' bytes are only touched when they are read.</remarks>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MappedFile _file;

    private SafetensorsFile(MappedFile file)
    {
        _file = file;
        int length = SafetensorsHeader.Length(file);
        SafetensorsHeader header = SafetensorsHeader.Parse(file.Path, file.Span(SafetensorsHeader.Prefix, length));
        long dataStart = SafetensorsHeader.Prefix + length;
        SafetensorsLayout.Check(file.Path, header.Entries, file.Length - dataStart);
        Metadata = header.Metadata;
        Tensors = header.Entries.ToDictionary(e => e.Name, e => (StoredTensor)new MappedTensor(file, e, dataStart + e.Begin), StringComparer.Ordinal);
    }

    /// <summary>The path it was opened from.</summary>
    public string Path => _file.Path;

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors { get; }

    /// <summary>The strings under <c>__metadata__</c>; empty when there are none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps a file and checks every rule of the format.</summary>
    /// <exception cref="WeightFileException">The file cannot be opened, or a rule is broken.</exception>
    public static SafetensorsFile Open(string path)
    {
        MappedFile file = MappedFile.Open(path, SafetensorsHeader.Prefix);
        try
        {
            return new SafetensorsFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Unmaps the file; its tensors can no longer be read.</summary>
    public void Dispose() => _file.Dispose();
}

/// <summary>A tensor that lies in one piece in a mapped file, at any alignment.</summary>
internal sealed class MappedTensor(MappedFile file, in HeaderEntry entry, long start) : StoredTensor(entry.Name, file.Path, entry.DType, entry.Shape)
{
    public override void ReleasePages() => file.Release(start, ByteLength);

    protected override void PrepareRead(long firstElement, int count) => file.Populate(start + firstElement * DType.Size(), (long)count * DType.Size());

    protected override void CopyElements(long firstElement, Span<byte> into) => file.Copy(start + firstElement * DType.Size(), into);
}
