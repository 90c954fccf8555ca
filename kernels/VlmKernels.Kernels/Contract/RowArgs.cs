namespace VlmKernels.Kernels;

/// <summary>What <see cref="IOps.Norm"/> computes.</summary>
public enum NormKind : byte
{
    /// <summary>(x − mean) / √(variance + ε) · weight + bias; biased variance, two passes.</summary>
    LayerNorm,
    /// <summary>x / max(‖x‖₂, ε).</summary>
    L2,
}

/// <summary>Arguments of <see cref="IOps.Norm"/>.</summary>
/// <param name="X">[.., columns] A or F.</param>
/// <param name="Y">Same shape, A or F; may be X.</param>
/// <param name="Kind">The formula.</param>
/// <param name="Epsilon">ε of the formula.</param>
public readonly record struct NormArgs(Tensor X, Tensor Y, NormKind Kind, float Epsilon)
{
    /// <summary>[columns] F, LayerNorm only; none = 1.</summary>
    public Tensor Weight { get; init; }

    /// <summary>[columns] F, LayerNorm only; none = 0.</summary>
    public Tensor Bias { get; init; }

    /// <summary>Same shape as X: x + residual is normalised (post-norm blocks). May be Y.</summary>
    public Tensor Residual { get; init; }
}

/// <summary>What <see cref="IOps.Combine"/> computes.</summary>
public enum CombineKind : byte
{
    /// <summary>a + b.</summary>
    Add,
    /// <summary>a ⊙ b.</summary>
    Multiply,
}

/// <summary>Arguments of <see cref="IOps.Combine"/>.</summary>
/// <param name="A">[.., columns] A.</param>
/// <param name="B">[r, columns] A or F, where r divides the rows of a: row i of a meets row i mod r.</param>
/// <param name="Y">Shape of a; may be a.</param>
/// <param name="Kind">The formula.</param>
public readonly record struct CombineArgs(Tensor A, Tensor B, Tensor Y, CombineKind Kind);

/// <summary>What <see cref="IOps.Reduce"/> computes.</summary>
public enum ReduceKind : byte
{
    /// <summary>The arithmetic mean.</summary>
    Mean,
    /// <summary>The sum.</summary>
    Sum,
}

/// <summary>Arguments of <see cref="IOps.Reduce"/>.</summary>
/// <param name="X">[groups·n, columns] A.</param>
/// <param name="Y">[groups, columns] A or F.</param>
/// <param name="Kind">Mean or sum.</param>
public readonly record struct ReduceArgs(Tensor X, Tensor Y, ReduceKind Kind);

/// <summary>Arguments of <see cref="IOps.Softmax"/>: of scale·x, largest element subtracted first. A row of −∞ only gives NaN, as in PyTorch.</summary>
/// <param name="X">[.., columns] F.</param>
/// <param name="Y">Same shape, F; may be X.</param>
/// <param name="Scale">Multiplies x first.</param>
/// <param name="Log">Log-softmax.</param>
public readonly record struct SoftmaxArgs(Tensor X, Tensor Y, float Scale = 1, bool Log = false);

/// <summary>Arguments of <see cref="IOps.Embed"/>.</summary>
/// <param name="Ids">[b, n] I, each from 0 to the table's rows − 1.</param>
/// <param name="Table">Packed with <see cref="WeightUse.Table"/>: outputs = rows, inputs = width.</param>
/// <param name="Y">[b, n, width] A.</param>
public readonly record struct EmbedArgs(Tensor Ids, PackedWeight Table, Tensor Y)
{
    /// <summary>[at least n, width] F: row i is added to token i; none: nothing is added.</summary>
    public Tensor Positions { get; init; }

    /// <summary>[b] I: the row of positions that each row's first token gets; the others follow it. None: 0.</summary>
    public Tensor PositionStart { get; init; }
}

/// <summary>
/// Arguments of <see cref="IOps.CopyRows"/>: for each group g and row c, y[YStart + g·YStride + c] = x[XStart + g·XStride + c],
/// or x[index[g·Count + c]] when an index is given. Rows are those of the flattened matrices.
/// </summary>
/// <param name="X">[.., columns].</param>
/// <param name="Y">[.., columns], same type; must not overlap X.</param>
/// <param name="Groups">Number of groups.</param>
/// <param name="Count">Rows per group.</param>
public readonly record struct CopyRowsArgs(Tensor X, Tensor Y, int Groups, int Count)
{
    /// <summary>First row of x.</summary>
    public int XStart { get; init; }

    /// <summary>Rows of x from one group to the next; 0 repeats the same rows.</summary>
    public int XStride { get; init; }

    /// <summary>First row of y.</summary>
    public int YStart { get; init; }

    /// <summary>Rows of y from one group to the next.</summary>
    public int YStride { get; init; }

    /// <summary>[Groups·Count] I: rows of x; replaces XStart and XStride. None: strided.</summary>
    public Tensor Index { get; init; }

    /// <summary>Within every batch row: tokens first … of x [b, n, w] become tokens at … of y [b, n', w]; x [n, w] goes to every batch row.</summary>
    public static CopyRowsArgs Tokens(Tensor x, int first, int count, Tensor y, int at) => new(x, y, y.Shape.Rank == 3 ? y.Shape[0] : 1, count)
    {
        XStart = first,
        XStride = x.Shape.Rank == 3 ? x.Shape[1] : 0,
        YStart = at,
        YStride = y.Shape.Rank == 3 ? y.Shape[1] : 0,
    };

    /// <summary>y = x.</summary>
    public static CopyRowsArgs All(Tensor x, Tensor y) => new(x, y, 1, y.Rows);

    /// <summary>y[i] = x[index[i]] for every row of y.</summary>
    public static CopyRowsArgs Gather(Tensor x, Tensor index, Tensor y) => new(x, y, 1, y.Rows) { Index = index };
}
