using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>
/// A tensor in a weight file: its name, type and shape, and its elements on demand in row-major order. Nothing is kept in memory but what the
/// operating system caches. Readers of other containers derive from it; a strided view yields its elements in the order of its own shape.
/// </summary>
/// <remarks>Reading is safe from several threads. It lasts until the file is disposed; after that every read throws <see cref="ObjectDisposedException"/>.</remarks>
public abstract class StoredTensor
{
    // Converted through the stack in pieces that stay in the first-level cache.
    private const int ChunkBytes = 8192;

    /// <summary>Checks and stores the description.</summary>
    /// <param name="name">Name in the file.</param>
    /// <param name="file">Path of the file that holds the elements.</param>
    /// <param name="dtype">Element type in the file.</param>
    /// <param name="shape">Extents, outermost first; empty for a scalar.</param>
    /// <exception cref="OverflowException">The shape's size in bytes does not fit 63 bits.</exception>
    protected StoredTensor(string name, string file, FileDType dtype, ImmutableArray<long> shape)
    {
        Name = name;
        File = file;
        DType = dtype;
        Shape = shape;
        ElementCount = CountElements(shape.AsSpan());
        ByteLength = checked(ElementCount * dtype.Size());
    }

    /// <summary>Name in the file.</summary>
    public string Name { get; }

    /// <summary>Path of the file that holds the elements, for messages.</summary>
    public string File { get; }

    /// <summary>Element type in the file.</summary>
    public FileDType DType { get; }

    /// <summary>Extents, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Product of the extents; 1 for a scalar.</summary>
    public long ElementCount { get; }

    /// <summary>Size of the elements in bytes, without gaps.</summary>
    public long ByteLength { get; }

    /// <summary>
    /// Reads elements as float32. Exact for every 8- and 16-bit type; F64, I64 and I32 round to nearest even; BOOL gives 0 or 1.
    /// </summary>
    /// <param name="firstElement">Row-major index of the first element.</param>
    /// <param name="into">Receives as many elements as it holds.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public void ReadFloats(long firstElement, Span<float> into)
    {
        Begin(firstElement, into.Length);
        if (DType == FileDType.F32)
        {
            CopyElements(firstElement, MemoryMarshal.AsBytes(into));
            return;
        }
        Span<byte> chunk = stackalloc byte[ChunkBytes];
        int size = DType.Size(), most = ChunkBytes / size;
        while (!into.IsEmpty)
        {
            int count = Math.Min(into.Length, most);
            CopyElements(firstElement, chunk[..(count * size)]);
            StoredFloats.Convert(DType, chunk[..(count * size)], into[..count]);
            into = into[count..];
            firstElement += count;
        }
    }

    /// <summary>Reads integers; BOOL gives 0 or 1.</summary>
    /// <param name="firstElement">Row-major index of the first element.</param>
    /// <param name="into">Receives as many elements as it holds.</param>
    /// <exception cref="InvalidOperationException">The tensor holds floats.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public void ReadInt64s(long firstElement, Span<long> into)
    {
        if (!DType.IsInteger()) throw new InvalidOperationException($"{File}: '{Name}' holds {DType.Name()}, not integers");
        Begin(firstElement, into.Length);
        Span<byte> chunk = stackalloc byte[ChunkBytes];
        int size = DType.Size(), most = ChunkBytes / size;
        while (!into.IsEmpty)
        {
            int count = Math.Min(into.Length, most);
            CopyElements(firstElement, chunk[..(count * size)]);
            StoredIntegers.Widen(DType, chunk[..(count * size)], into[..count]);
            into = into[count..];
            firstElement += count;
        }
    }

    /// <summary>Reads elements as they are stored: little-endian, row-major, without gaps.</summary>
    /// <param name="offset">First byte, counted from the tensor's first element; a whole number of elements.</param>
    /// <param name="into">Receives the bytes; a whole number of elements long.</param>
    /// <exception cref="ArgumentException">The range cuts an element.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the tensor.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public void ReadBytes(long offset, Span<byte> into)
    {
        int size = DType.Size();
        if (offset % size != 0 || into.Length % size != 0)
        {
            throw new ArgumentException($"bytes {offset} to {offset + into.Length} of '{Name}' cut an element of {size} bytes", nameof(offset));
        }
        Begin(offset / size, into.Length / size);
        CopyElements(offset / size, into);
    }

    /// <summary>
    /// Tells the operating system that this tensor's pages are not needed for now, so that packing one tensor after the other never holds the
    /// file and the packed copy together. The tensor stays readable: its pages come back from the file. Does nothing where that is not possible.
    /// </summary>
    public virtual void ReleasePages() { }

    /// <summary>Name, dtype and shape, as error messages show them: <c>'a.weight' F32 [3, 4]</c>.</summary>
    public override string ToString() => $"{WeightFileException.Quote(Name)} {DType.Name()} [{string.Join(", ", Shape)}]";

    /// <summary>Called once before a range is copied, perhaps in many pieces; the place to fetch it. The range was checked.</summary>
    protected virtual void PrepareRead(long firstElement, int count) { }

    /// <summary>Copies whole elements in row-major order, little-endian; the range was checked.</summary>
    protected abstract void CopyElements(long firstElement, Span<byte> into);

    /// <summary>Product of the extents, checked step by step as the reference implementation does.</summary>
    /// <exception cref="OverflowException">It does not fit 63 bits.</exception>
    internal static long CountElements(ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (long extent in shape) count = checked(count * extent);
        return count;
    }

    private void Begin(long first, int count)
    {
        if (first < 0 || first > ElementCount - count)
        {
            throw new ArgumentOutOfRangeException(nameof(first), first, $"{count} elements from {first} leave '{Name}', which has {ElementCount}");
        }
        PrepareRead(first, count);
    }
}
