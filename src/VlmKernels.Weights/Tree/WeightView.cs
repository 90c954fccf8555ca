using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>A tensor of a checkpoint in the form in which a model asks for it: whole, or as some of its rows, or transposed. Nothing is read before <see cref="Read"/>.</summary>
public abstract class WeightView
{
    /// <summary>Stores the description.</summary>
    /// <param name="key">Name in the file.</param>
    /// <param name="file">Path of the file.</param>
    /// <param name="dtype">Element type in the file.</param>
    /// <param name="shape">Extents of the view, outermost first; empty for a scalar.</param>
    protected WeightView(string key, string file, FileDType dtype, ImmutableArray<long> shape)
    {
        (Key, File, DType, Shape) = (key, file, dtype, shape);
        Count = 1;
        foreach (long extent in shape) Count *= extent;
    }

    /// <summary>Name in the file.</summary>
    public string Key { get; }

    /// <summary>Path of the file, for messages.</summary>
    public string File { get; }

    /// <summary>Element type in the file.</summary>
    public FileDType DType { get; }

    /// <summary>Element type as the file calls it: <c>F16</c>.</summary>
    public string Type => DType.Name();

    /// <summary>Extents, outermost first; empty for a scalar.</summary>
    public ImmutableArray<long> Shape { get; }

    /// <summary>Number of elements.</summary>
    public long Count { get; }

    /// <summary>Reads elements in row-major order from <paramref name="first"/> on, as many as <paramref name="into"/> holds.</summary>
    public abstract void Read(long first, Span<float> into);

    /// <summary>Reads elements as they are stored, little-endian, otherwise like <see cref="Read"/>; <paramref name="into"/> is a whole number of elements long.</summary>
    public abstract void ReadStored(long first, Span<byte> into);

    /// <summary>Says that the elements are not needed for now, so that the pages of the mapped file may go.</summary>
    public virtual void Release() { }

    /// <summary>Shape and type as messages show them: <c>[512, 768] F16</c>.</summary>
    public override string ToString() => $"[{string.Join(", ", Shape)}] {Type}";
}

/// <summary>A tensor as it lies in the file.</summary>
internal sealed class StoredView(StoredTensor tensor) : WeightView(tensor.Name, tensor.File, tensor.DType, tensor.Shape)
{
    public override void Read(long first, Span<float> into) => tensor.ReadFloats(first, into);

    public override void ReadStored(long first, Span<byte> into) => tensor.ReadBytes(first * DType.Size(), into);

    public override void Release() => tensor.ReleasePages();
}

/// <summary>Some consecutive rows (slices along the first axis) of another view.</summary>
internal sealed class RowsView(WeightView whole, long firstRow, long rows) : WeightView(whole.Key, whole.File, whole.DType, whole.Shape.SetItem(0, rows))
{
    private readonly long _offset = firstRow * (whole.Count / whole.Shape[0]);

    public override void Read(long first, Span<float> into) => whole.Read(_offset + first, into);

    public override void ReadStored(long first, Span<byte> into) => whole.ReadStored(_offset + first, into);

    public override void Release() => whole.Release();
}

/// <summary>A stored matrix [in, out] seen as [out, in]: parameters that the original code multiplies from the right.</summary>
internal sealed class TransposedView(WeightView matrix) : WeightView(matrix.Key, matrix.File, matrix.DType, [matrix.Shape[1], matrix.Shape[0]])
{
    // A piece of a stored row; whole blocks of logical rows are cut from it, so the file is walked in order.
    private const int Piece = 256;

    /// <summary>Reads elements of a stored row.</summary>
    private delegate void RowReader<T>(long first, Span<T> into);

    public override void Read(long first, Span<float> into) => Read(first, into, matrix.Read);

    public override void ReadStored(long first, Span<byte> into)
    {
        switch (DType.Size())
        {
            case 8: ReadStored<ulong>(first, into); break;
            case 4: ReadStored<uint>(first, into); break;
            case 2: ReadStored<ushort>(first, into); break;
            default: ReadStored<byte>(first, into); break;
        }
    }

    public override void Release() => matrix.Release();

    private void ReadStored<T>(long first, Span<byte> into) where T : unmanaged =>
        Read<T>(first, MemoryMarshal.Cast<byte, T>(into), (at, piece) => matrix.ReadStored(at, MemoryMarshal.AsBytes(piece)));

    private void Read<T>(long first, Span<T> into, RowReader<T> read) where T : unmanaged
    {
        long columns = Shape[1];
        while (!into.IsEmpty)
        {
            long row = first / columns, column = first % columns;
            bool wholeRows = column == 0 && into.Length >= columns;
            int rows = wholeRows ? (int)Math.Min(Piece, into.Length / columns) : 1;
            int width = wholeRows ? (int)columns : (int)Math.Min(into.Length, columns - column);
            ReadBlock(row, rows, column, width, into, read);
            first += rows * width;
            into = into[(rows * width)..];
        }
    }

    private void ReadBlock<T>(long row, int rows, long column, int columns, Span<T> into, RowReader<T> read) where T : unmanaged
    {
        Span<T> piece = stackalloc T[Piece];
        for (int c = 0; c < columns; c++)
        {
            read(((column + c) * Shape[0]) + row, piece[..rows]);
            for (int r = 0; r < rows; r++) into[(r * columns) + c] = piece[r];
        }
    }
}
