namespace VlmKernels.Kernels;

/// <summary>A block of a backend's own memory. The host reaches it only through <see cref="IQueue.CopyIn"/> and <see cref="IQueue.CopyOut"/>.</summary>
public abstract class Storage : IDisposable
{
    /// <summary>Size in bytes.</summary>
    public abstract long Bytes { get; }

    /// <summary>True for memory that the host mapped: no operation may write to it.</summary>
    public virtual bool IsReadOnly => false;

    /// <summary>Gives the memory back, once enqueued work that uses it is done; tensors in it must not be used any more.</summary>
    public abstract void Dispose();
}

/// <summary>
/// A handle to a matrix in a backend's memory: rows of contiguous elements, one pitch between rows, no other strides.
/// A shape of rank 3 or 4 is the same matrix with its rows grouped; feature maps are <c>[batch, height, width, channels]</c>.
/// <c>default</c> means "not given".
/// </summary>
/// <param name="Storage">The memory block.</param>
/// <param name="Offset">Bytes from the start of the block to the first element.</param>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="Type">Element type.</param>
/// <param name="Pitch">Elements from one row to the next, at least <see cref="Columns"/>.</param>
public readonly record struct Tensor(Storage? Storage, long Offset, Shape Shape, DType Type, int Pitch)
{
    /// <summary>True for <c>default</c>: an optional tensor that was not given.</summary>
    public bool IsNone => Storage is null;

    /// <summary>Number of rows: the product of all extents but the last.</summary>
    public int Rows => Shape.Rows;

    /// <summary>Elements of a row.</summary>
    public int Columns => Shape.Columns;

    /// <summary>True when rows follow each other without a gap.</summary>
    public bool IsDense => Pitch == Columns || Rows <= 1;

    /// <summary>Bytes from the first element to behind the last one.</summary>
    public long Span => Shape.Count == 0 ? 0 : (((long)(Rows - 1) * Pitch) + Columns) * Type.Size();

    /// <summary>A view of some columns of every row; free of cost. Of "none" it is "none".</summary>
    /// <exception cref="ContractException">The columns lie outside.</exception>
    public Tensor SliceColumns(int first, int count)
    {
        if (IsNone) return this;
        if (first < 0 || count < 0 || first > Columns - count) throw new ContractException($"SliceColumns: {first} + {count} is outside {Shape}");
        return this with { Offset = Offset + ((long)first * Type.Size()), Shape = Shape.WithColumns(count) };
    }

    /// <summary>A view of some rows as <c>[count, columns]</c>; free of cost. Of "none" it is "none".</summary>
    /// <exception cref="ContractException">The rows lie outside.</exception>
    public Tensor SliceRows(int first, int count)
    {
        if (IsNone) return this;
        if (first < 0 || count < 0 || first > Rows - count) throw new ContractException($"SliceRows: {first} + {count} is outside {Shape}");
        return this with { Offset = Offset + ((long)first * Pitch * Type.Size()), Shape = new Shape(count, Columns) };
    }

    /// <summary>The same elements under another shape; free of cost.</summary>
    /// <exception cref="ContractException">The number of elements differs, or rows with gaps between them would have to be cut.</exception>
    public Tensor Reshape(params ReadOnlySpan<int> shape)
    {
        var target = new Shape(shape);
        if (target.Count != Shape.Count) throw new ContractException($"Reshape: {Shape} and {target} differ in size");
        if (target.Columns == Columns) return this with { Shape = target };
        if (!IsDense) throw new ContractException($"Reshape: {Shape} with pitch {Pitch} has gaps between its rows");
        return this with { Shape = target, Pitch = target.Columns };
    }

    /// <inheritdoc/>
    public override string ToString() => IsNone ? "none" : $"{Type} {Shape}";
}
