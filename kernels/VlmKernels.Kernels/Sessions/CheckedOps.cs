namespace VlmKernels.Kernels;

/// <summary>Checks shapes, types and overlap of every operation once for all backends, then forwards.</summary>
/// <param name="inner">The backend's operations, which may trust their arguments.</param>
public sealed class CheckedOps(IOps inner) : IOps
{
    private static readonly Shape ByteTableShape = new(3, 256);

    /// <inheritdoc/>
    public void Linear(in LinearArgs a)
    {
        var check = new Check("Linear");
        check.Weight(a.Weight, WeightUse.Linear);
        check.Given("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.Columns("x", a.X, a.Weight.Inputs, a.Weight.Key, "inputs");
        check.Columns("y", a.Y, a.Weight.Outputs, a.Weight.Key, "outputs");
        check.SameRows("x", a.X, "y", a.Y);
        check.Apart("x", a.X, "y", a.Y);
        check.Epilogue(a.Epilogue, a.Y);
        inner.Linear(a);
    }

    /// <inheritdoc/>
    public void MatMul(in MatMulArgs a)
    {
        var check = new Check("MatMul");
        check.Given("x", a.X, DType.F32);
        check.Given("w", a.W, DType.F32);
        check.Written("y", a.Y, DType.F32);
        int batch = Batch(a.X), shared = Batch(a.W);
        check.That(shared == 1 || shared == batch, $"w is {a.W.Shape}, but x is {a.X.Shape}");
        check.That(a.W.Columns == a.X.Columns, $"w is {a.W.Shape}, but x has {a.X.Columns} columns");
        check.That(a.Y.Rows == a.X.Rows, $"y is {a.Y.Shape}, but x is {a.X.Shape}");
        check.That(a.Y.Columns == (a.W.Shape.Rank == 3 ? a.W.Shape[1] : a.W.Rows), $"y is {a.Y.Shape}, but w is {a.W.Shape}");
        check.Apart("x", a.X, "y", a.Y);
        check.Apart("w", a.W, "y", a.Y);
        inner.MatMul(a);
    }

    /// <inheritdoc/>
    public void InnerProduct(in InnerProductArgs a)
    {
        var check = new Check("InnerProduct");
        check.Given("x", a.X, DType.F32);
        check.That(!a.Rows.IsNone, "rows are not given");
        check.That(a.Rows.Type is DType.F32 or DType.F16, $"rows must be F32 or F16, found {a.Rows}");
        check.Given("rows", a.Rows, a.Rows.Type);
        check.Written("y", a.Y, DType.F32);
        check.That(a.Rows.Columns == a.X.Columns, $"rows are {a.Rows.Shape}, but x has {a.X.Columns} columns");
        check.That(a.Y.Rows == a.X.Rows && a.Y.Columns == a.Rows.Rows, $"y is {a.Y.Shape}, but x is {a.X.Shape} and rows are {a.Rows.Shape}");
        check.Apart("x", a.X, "y", a.Y);
        check.Apart("rows", a.Rows, "y", a.Y);
        inner.InnerProduct(a);
    }

    /// <inheritdoc/>
    public void Conv2d(in ConvArgs a)
    {
        var check = new Check("Conv2d");
        int side = a.Stencil.Kernel;
        check.Weight(a.Weight, WeightUse.Conv);
        check.Map("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.That((long)a.X.Columns * side * side == a.Weight.Inputs, $"x is {a.X.Shape} under a {side}×{side} kernel, but {a.Weight.Key} takes {a.Weight.Inputs} inputs");
        check.Windows(a.X, a.Y, a.Stencil, a.Weight.Outputs);
        check.Apart("x", a.X, "y", a.Y);
        check.Epilogue(a.Epilogue, a.Y);
        inner.Conv2d(a);
    }

    /// <inheritdoc/>
    public void PatchEmbed(in PatchEmbedArgs a)
    {
        var check = new Check("PatchEmbed");
        check.Weight(a.Weight, WeightUse.Patch);
        check.That(!a.Pixels.IsNone, "pixels are not given");
        check.That(a.Pixels.Type is DType.U8 or DType.F32, $"pixels must be U8 or F32, found {a.Pixels}");
        check.Map("pixels", a.Pixels, a.Pixels.Type);
        check.That(a.Pixels.Columns == 3, $"pixels must have 3 channels, found {a.Pixels}");
        check.That(a.Pixels.Type == DType.U8 == !a.ByteTable.IsNone, $"pixels are {a.Pixels.Type}, and the byte table is {a.ByteTable}");
        check.That(a.Patch > 0 && a.Weight.Inputs == 3L * a.Patch * a.Patch, $"patch {a.Patch} gives {3L * a.Patch * a.Patch} inputs, but {a.Weight.Key} takes {a.Weight.Inputs}");
        int tokens = (a.Pixels.Shape[1] / a.Patch * (a.Pixels.Shape[2] / a.Patch)) + (a.ClassToken.IsNone ? 0 : 1);
        check.Written("y", a.Y, DType.F32);
        check.Shape("y", a.Y, new Shape(a.Pixels.Shape[0], tokens, a.Weight.Outputs));
        check.Apart("pixels", a.Pixels, "y", a.Y);
        if (!a.ByteTable.IsNone) check.Dense("byte table", a.ByteTable, ByteTableShape);
        if (!a.ClassToken.IsNone) check.Vector("class token", a.ClassToken, DType.F32, a.Weight.Outputs);
        if (!a.Positions.IsNone) check.Matrix("positions", a.Positions, new Shape(tokens, a.Weight.Outputs));
        inner.PatchEmbed(a);
    }

    /// <inheritdoc/>
    public void Attention(in AttentionArgs a)
    {
        var check = new Check("Attention");
        check.Given("q", a.Q, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.That(a.Q.Shape.Rank == 3, $"q must have three extents, found {a.Q.Shape}");
        check.Shape("y", a.Y, a.Q.Shape);
        check.That(a.Heads > 0 && a.Q.Columns % a.Heads == 0, $"{a.Heads} heads do not divide {a.Q.Columns} columns");
        if (a.Cache is null) Keys(check, a);
        else CachedKeys(check, a, a.Cache);
        if (!a.Mask.QueryStart.IsNone) check.Vector("query start", a.Mask.QueryStart, DType.I32, a.Q.Shape[0]);
        if (!a.Mask.KeyLength.IsNone) check.Vector("key length", a.Mask.KeyLength, DType.I32, a.KeyBatch);
        if (!a.Mask.KeyValid.IsNone) check.Vector("key valid", a.Mask.KeyValid, DType.U8, (long)a.KeyBatch * a.Keys);
        check.Apart("q", a.Q, "y", a.Y);
        inner.Attention(a);
    }

    /// <inheritdoc/>
    public void AppendKv(in AppendKvArgs a)
    {
        var check = new Check("AppendKv");
        check.That(a.Cache is not null, "the cache is not given");
        check.Given("k", a.K, DType.F32);
        check.Given("v", a.V, DType.F32);
        check.That(a.K.Shape.Rank == 3 && a.K.Columns == a.Cache!.Columns, $"k is {a.K.Shape}, but the cache has {a.Cache!.Heads} heads of {a.Cache!.HeadDim}");
        check.Shape("v", a.V, a.K.Shape);
        int batch = a.K.Shape[0];
        check.That(batch == 0 || a.Cache!.Rows % batch == 0, $"{batch} rows of k do not go evenly into {a.Cache!.Rows} rows of the cache");
        check.That(a.K.Shape[1] <= a.Cache!.Capacity, $"k has {a.K.Shape[1]} tokens, but the cache has {a.Cache!.Capacity} slots");
        if (!a.Positions.IsNone) check.Vector("positions", a.Positions, DType.I32, batch);
        inner.AppendKv(a);
    }

    /// <inheritdoc/>
    public void Norm(in NormArgs a)
    {
        var check = new Check("Norm");
        check.Given("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.SameMatrix("x", a.X, "y", a.Y);
        check.SameOrApart("x", a.X, "y", a.Y);
        check.That(a.Kind == NormKind.LayerNorm || (a.Weight.IsNone && a.Bias.IsNone), "L2 takes neither weight nor bias");
        if (!a.Weight.IsNone) check.Vector("weight", a.Weight, DType.F32, a.X.Columns);
        if (!a.Bias.IsNone) check.Vector("bias", a.Bias, DType.F32, a.X.Columns);
        if (!a.Residual.IsNone)
        {
            check.Given("residual", a.Residual, DType.F32);
            check.SameMatrix("x", a.X, "residual", a.Residual);
            check.SameOrApart("residual", a.Residual, "y", a.Y);
        }
        inner.Norm(a);
    }

    /// <inheritdoc/>
    public void Combine(in CombineArgs a)
    {
        var check = new Check("Combine");
        check.Given("a", a.A, DType.F32);
        check.Given("b", a.B, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.SameMatrix("a", a.A, "y", a.Y);
        check.That(a.B.Columns == a.A.Columns && a.B.Rows > 0 && a.A.Rows % a.B.Rows == 0, $"b is {a.B.Shape}, which does not repeat into {a.A.Shape}");
        check.SameOrApart("a", a.A, "y", a.Y);
        check.Apart("b", a.B, "y", a.Y);
        inner.Combine(a);
    }

    /// <inheritdoc/>
    public void Reduce(in ReduceArgs a)
    {
        var check = new Check("Reduce");
        check.Given("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.That(a.X.Columns == a.Y.Columns && a.Y.Rows > 0 && a.X.Rows % a.Y.Rows == 0 && a.X.Rows > 0, $"{a.X.Shape} does not fall into {a.Y.Rows} groups of rows for y {a.Y.Shape}");
        check.Apart("x", a.X, "y", a.Y);
        inner.Reduce(a);
    }

    /// <inheritdoc/>
    public void Softmax(in SoftmaxArgs a)
    {
        var check = new Check("Softmax");
        check.Given("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.SameMatrix("x", a.X, "y", a.Y);
        check.SameOrApart("x", a.X, "y", a.Y);
        inner.Softmax(a);
    }

    /// <inheritdoc/>
    public void TopK(in TopKArgs a)
    {
        var check = new Check("TopK");
        check.Given("x", a.X, DType.F32);
        check.Written("values", a.Values, DType.F32);
        check.Written("ids", a.Ids, DType.I32);
        check.SameRows("x", a.X, "values", a.Values);
        check.That(a.Values.Columns >= 1 && a.Values.Columns <= a.X.Columns, $"k must be 1 to the {a.X.Columns} columns of x, but values are {a.Values.Shape}");
        check.Shape("ids", a.Ids, a.Values.Shape);
        check.Apart("x", a.X, "values", a.Values);
        check.Apart("x", a.X, "ids", a.Ids);
        check.Apart("values", a.Values, "ids", a.Ids);
        inner.TopK(a);
    }

    /// <inheritdoc/>
    public void Pool2d(in PoolArgs a)
    {
        var check = new Check("Pool2d");
        check.Map("x", a.X, DType.F32);
        check.Written("y", a.Y, DType.F32);
        check.That(a.Stencil.PadBefore < a.Stencil.Kernel && a.Stencil.PadAfter < a.Stencil.Kernel, $"padding {a.Stencil.PadBefore}/{a.Stencil.PadAfter} would leave a window of {a.Stencil.Kernel} empty");
        check.Windows(a.X, a.Y, a.Stencil, a.X.Columns);
        check.Apart("x", a.X, "y", a.Y);
        inner.Pool2d(a);
    }

    /// <inheritdoc/>
    public void Embed(in EmbedArgs a)
    {
        var check = new Check("Embed");
        check.Weight(a.Table, WeightUse.Table);
        check.Given("ids", a.Ids, DType.I32);
        check.Written("y", a.Y, DType.F32);
        check.That(a.Ids.Shape.Rank == 2, $"ids must be [b, n], found {a.Ids}");
        check.Shape("y", a.Y, new Shape(a.Ids.Shape[0], a.Ids.Shape[1], a.Table.Inputs));
        check.Apart("ids", a.Ids, "y", a.Y);
        if (!a.PositionStart.IsNone) check.Vector("position start", a.PositionStart, DType.I32, a.Ids.Shape[0]);
        check.That(a.PositionStart.IsNone || !a.Positions.IsNone, "a position start needs positions");
        if (!a.Positions.IsNone) check.Given("positions", a.Positions, DType.F32);
        if (!a.Positions.IsNone) check.That(a.Positions.Rows >= a.Ids.Columns && a.Positions.Columns == a.Table.Inputs, $"positions are {a.Positions.Shape}, but ids are {a.Ids.Shape} and the width is {a.Table.Inputs}");
        inner.Embed(a);
    }

    /// <inheritdoc/>
    public void CopyRows(in CopyRowsArgs a)
    {
        var check = new Check("CopyRows");
        check.That(!a.X.IsNone && !a.Y.IsNone && a.X.Type == a.Y.Type, $"x and y must have one type, found {a.X} and {a.Y}");
        check.Given("x", a.X, a.X.Type);
        check.Written("y", a.Y, a.Y.Type);
        check.That(a.X.Columns == a.Y.Columns, $"x is {a.X.Shape}, but y is {a.Y.Shape}");
        check.That(a.Groups >= 0 && a.Count >= 0, $"{a.Groups} groups of {a.Count} rows");
        if (a.Index.IsNone) check.Rows("x", a.X, a.XStart, a.XStride, a.Groups, a.Count);
        else check.Vector("index", a.Index, DType.I32, (long)a.Groups * a.Count);
        check.Rows("y", a.Y, a.YStart, a.YStride, a.Groups, a.Count);
        check.That(a.Groups <= 1 || a.YStride >= a.Count, $"groups of {a.Count} rows of y overlap, found stride {a.YStride}");
        check.Apart("x", a.X, "y", a.Y);
        inner.CopyRows(a);
    }

    /// <inheritdoc/>
    public void PixelsToFloat(in PixelsArgs a)
    {
        var check = new Check("PixelsToFloat");
        check.Map("pixels", a.Pixels, DType.U8);
        check.That(a.Pixels.Columns == 3, $"pixels must have 3 channels, found {a.Pixels}");
        check.Written("y", a.Y, DType.F32);
        check.Shape("y", a.Y, a.Pixels.Shape);
        check.Apart("pixels", a.Pixels, "y", a.Y);
        check.Dense("byte table", a.ByteTable, ByteTableShape);
        inner.PixelsToFloat(a);
    }

    private static void Keys(Check check, in AttentionArgs a)
    {
        check.Given("k", a.K, DType.F32);
        check.Given("v", a.V, DType.F32);
        check.That(a.K.Shape.Rank == 3, $"k must have three extents, found {a.K.Shape}");
        check.Shape("v", a.V, a.K.Shape);
        check.That(a.Q.Columns == a.K.Columns, $"q is {a.Q.Shape}, but k is {a.K.Shape}");
        check.That(a.K.Shape[0] > 0 && a.Q.Shape[0] % a.K.Shape[0] == 0, $"{a.Q.Shape[0]} rows of q do not share {a.K.Shape[0]} rows of k evenly");
        check.That(a.KeyRows.IsNone, "key rows are rows of a cache, which is not given");
        check.Apart("k", a.K, "y", a.Y);
        check.Apart("v", a.V, "y", a.Y);
    }

    private static void CachedKeys(Check check, in AttentionArgs a, KvCache cache)
    {
        check.That(a.K.IsNone && a.V.IsNone, "k and v are given beside a cache");
        check.That(a.Heads == cache.Heads && a.Q.Columns == cache.Columns, $"q is {a.Q.Shape} with {a.Heads} heads, but the cache has {cache.Heads} heads of {cache.HeadDim}");
        int batch = a.Q.Shape[0];
        if (a.KeyRows.IsNone) check.That(batch == 0 || batch % cache.Rows == 0 || cache.Rows % batch == 0, $"{batch} rows of q do not share {cache.Rows} rows of the cache evenly");
        else check.Given("key rows", a.KeyRows, DType.I32);
        if (!a.KeyRows.IsNone) check.Shape("key rows", a.KeyRows, new Shape(batch, cache.Capacity));
    }

    private static int Batch(Tensor t) => t.Shape.Rank == 3 ? t.Shape[0] : 1;
}
