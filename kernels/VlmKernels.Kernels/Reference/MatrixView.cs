namespace VlmKernels.Kernels;

/// <summary>A tensor as its operation sees it: rows of values. Lives only while an operation runs.</summary>
internal readonly unsafe ref struct MatrixView<T> where T : unmanaged
{
    private readonly T* _first;
    private readonly long _pitch;

    public MatrixView(Tensor t)
    {
        if (t.Storage is not ReferenceStorage storage) throw new ContractException($"{t} does not lie in memory of the reference backend");
        if (t.Offset < 0 || t.Offset + t.Span > storage.Bytes) throw new ContractException($"{t} at byte {t.Offset} reaches outside its {storage.Bytes} bytes");
        int perElement = t.Type.Size() / sizeof(T);
        _first = (T*)storage.At(t.Offset);
        (_pitch, Rows, Columns) = ((long)t.Pitch * perElement, t.Rows, t.Columns * perElement);
    }

    public int Rows { get; }

    public int Columns { get; }

    public Span<T> Row(int index) => (uint)index < (uint)Rows
        ? new Span<T>(_first + (index * _pitch), Columns)
        : throw new ContractException($"row {index} is outside the {Rows} rows of a tensor");

    /// <summary>All values of a tensor without gaps between its rows.</summary>
    public Span<T> Values => new(_first, checked(Rows * Columns));
}

/// <summary>Opens tensors for the reference operations.</summary>
internal static class MatrixViews
{
    public static MatrixView<float> Floats(this Tensor t) => new(t);

    /// <summary>The values of an optional dense vector; empty when it was not given.</summary>
    public static Span<float> Vector(this Tensor t) => t.IsNone ? [] : t.Floats().Values;

    /// <summary>One row of an optional matrix; empty when it was not given.</summary>
    public static Span<float> RowOrNone(this Tensor t, int row) => t.IsNone ? [] : t.Floats().Row(row);

    /// <summary>A packed weight as the matrix [outputs, inputs] that it was made from.</summary>
    public static MatrixView<float> Matrix(this PackedWeight weight) => weight is ReferenceWeight own
        ? own.Values.Floats()
        : throw new ContractException($"{weight.Key} is packed for another backend than the reference");
}
