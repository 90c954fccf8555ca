namespace VlmKernels.Kernels;

/// <summary>One to four extents, outermost first; a value without heap memory. The default value has rank 0.</summary>
public readonly record struct Shape
{
    private readonly int _e0, _e1, _e2, _e3;

    /// <summary>Makes a shape of one to four extents.</summary>
    /// <exception cref="ContractException">There are no or more than four extents, or one is negative.</exception>
    public Shape(params ReadOnlySpan<int> extents)
    {
        if (extents.Length is 0 or > 4) throw new ContractException($"Shape: expected 1 to 4 extents, found {extents.Length}");
        foreach (int extent in extents)
        {
            if (extent < 0) throw new ContractException($"Shape: extent {extent} is negative");
        }
        Rank = extents.Length;
        _e0 = extents[0];
        _e1 = Rank > 1 ? extents[1] : 1;
        _e2 = Rank > 2 ? extents[2] : 1;
        _e3 = Rank > 3 ? extents[3] : 1;
    }

    /// <summary>Number of extents, 1 to 4.</summary>
    public int Rank { get; }

    /// <summary>Extent of an axis; a negative axis counts from the last.</summary>
    /// <exception cref="ContractException">The shape has no such axis.</exception>
    public int this[int axis] => (axis < 0 ? axis + Rank : axis) switch
    {
        0 when Rank > 0 => _e0,
        1 when Rank > 1 => _e1,
        2 when Rank > 2 => _e2,
        3 when Rank > 3 => _e3,
        _ => throw new ContractException($"Shape: {this} has no axis {axis}"),
    };

    /// <summary>The last extent.</summary>
    public int Columns => this[-1];

    /// <summary>Product of all extents but the last.</summary>
    /// <exception cref="ContractException">The product does not fit an int.</exception>
    public int Rows
    {
        get
        {
            long rows = Rank switch { 1 => 1, 2 => _e0, 3 => (long)_e0 * _e1, _ => Math.BigMul(_e0, _e1) is var plane && plane > int.MaxValue && _e2 > 0 ? long.MaxValue : plane * _e2 };
            return rows <= int.MaxValue ? (int)rows : throw new ContractException($"Shape: {this} has more rows than an int counts");
        }
    }

    /// <summary>Number of elements.</summary>
    public long Count => (long)Rows * Columns;

    /// <summary>The same rows with another number of columns.</summary>
    public Shape WithColumns(int columns) => Rank switch
    {
        1 => new(columns),
        2 => new(_e0, columns),
        3 => new(_e0, _e1, columns),
        _ => new(_e0, _e1, _e2, columns),
    };

    /// <inheritdoc/>
    public override string ToString() => Rank switch
    {
        0 => "[none]",
        1 => $"[{_e0}]",
        2 => $"[{_e0}, {_e1}]",
        3 => $"[{_e0}, {_e1}, {_e2}]",
        _ => $"[{_e0}, {_e1}, {_e2}, {_e3}]",
    };
}
