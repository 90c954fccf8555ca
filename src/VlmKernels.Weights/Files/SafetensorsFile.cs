using System.Buffers.Binary;

namespace VlmKernels.Weights;

/// <summary>
/// A safetensors file, memory-mapped. The layout is an 8-byte little-endian header length, a JSON header, and the tensors' bytes, which cover
/// the rest of the file without gap or overlap (format description and rules of huggingface/safetensors, README and <c>src/tensor.rs</c>).
/// </summary>
/// <remarks>Everything is checked when the file is opened; the tensors' bytes are only touched when they are read.</remarks>
public sealed class SafetensorsFile : WeightFile
{
    private readonly MappedFile _file;

    private SafetensorsFile(MappedFile file) : base(file.Path)
    {
        _file = file;
        int length = SafetensorsHeader.Length(file);
        SafetensorsHeader header = SafetensorsHeader.Parse(file.Path, file.Span(SafetensorsHeader.Prefix, length));
        long dataStart = SafetensorsHeader.Prefix + length;
        SafetensorsLayout.Check(file.Path, header.Entries, file.Length - dataStart);
        Metadata = header.Metadata;
        foreach (HeaderEntry entry in header.Entries) Add(new MappedTensor(file, entry, dataStart + entry.Begin));
    }

    /// <summary>Maps a file and checks every rule of the format.</summary>
    /// <exception cref="WeightFileException">The file cannot be opened, or a rule is broken.</exception>
    public static new SafetensorsFile Open(string path)
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

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    /// <summary>Whether a file's first bytes are a header's length, which the file has room for, and the header's first character.</summary>
    internal static bool IsLikely(ReadOnlySpan<byte> head, long fileLength) =>
        head.Length > SafetensorsHeader.Prefix && head[SafetensorsHeader.Prefix] == '{' && BinaryPrimitives.ReadUInt64LittleEndian(head) <= (ulong)fileLength;
}

/// <summary>A tensor that lies in one piece in a mapped file, at any alignment.</summary>
internal sealed class MappedTensor(MappedFile file, in HeaderEntry entry, long start) : StoredTensor(entry.Name, file.Path, entry.DType, entry.Shape)
{
    public override void ReleasePages() => file.Release(start, ByteLength);

    protected override void PrepareRead(long firstElement, int count) => file.Populate(start + firstElement * DType.Size(), (long)count * DType.Size());

    protected override void CopyElements(long firstElement, Span<byte> into) => file.Copy(start + firstElement * DType.Size(), into);
}
