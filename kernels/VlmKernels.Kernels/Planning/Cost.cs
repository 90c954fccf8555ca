namespace VlmKernels.Kernels;

/// <summary>What an operation costs at least: arithmetic and memory traffic if every operand moves once.</summary>
/// <param name="Flops">Floating-point operations; a multiply-add counts as two. Products and convolutions only count their sums.</param>
/// <param name="Bytes">Bytes read and written.</param>
public readonly record struct Cost(long Flops, long Bytes)
{
    /// <summary>Sum of two costs.</summary>
    public static Cost operator +(Cost a, Cost b) => new(a.Flops + b.Flops, a.Bytes + b.Bytes);

    /// <summary>Sum of two costs.</summary>
    public static Cost Add(Cost left, Cost right) => left + right;

    /// <summary>Cost of a linear layer.</summary>
    public static Cost Of(in LinearArgs a) => new(2L * a.X.Rows * a.Weight.Inputs * a.Weight.Outputs, Size(a.X) + a.Weight.Bytes + Size(a.Y) + Size(a.Epilogue.Residual));

    /// <summary>Cost of a matrix product.</summary>
    public static Cost Of(in MatMulArgs a) => new(2L * a.Y.Shape.Count * a.X.Columns, Size(a.X) + Size(a.W) + Size(a.Y));

    /// <summary>Cost of inner products with stored rows.</summary>
    public static Cost Of(in InnerProductArgs a) => new(2L * a.Y.Shape.Count * a.X.Columns, Size(a.X) + Size(a.Rows) + Size(a.Y));

    /// <summary>Cost of a convolution.</summary>
    public static Cost Of(in ConvArgs a) => new(2L * a.Y.Shape.Count * a.Weight.Inputs, Size(a.X) + a.Weight.Bytes + Size(a.Y) + Size(a.Epilogue.Residual));

    /// <summary>Cost of patch embedding.</summary>
    public static Cost Of(in PatchEmbedArgs a) => new(2L * (a.Y.Rows - (a.ClassToken.IsNone ? 0 : a.Y.Shape[0])) * a.Weight.Inputs * a.Weight.Outputs, Size(a.Pixels) + a.Weight.Bytes + Size(a.Y) + Size(a.Positions));

    /// <summary>Cost of attention: both products, whatever a mask hides; a cache counts as full.</summary>
    public static Cost Of(in AttentionArgs a) => new(4L * a.Q.Shape.Count * a.Keys, Size(a.Q) + (a.Cache?.Bytes ?? Size(a.K) + Size(a.V)) + Size(a.Y));

    /// <summary>Cost of an addition to a cache.</summary>
    public static Cost Of(in AppendKvArgs a) => new(0, 2 * (Size(a.K) + Size(a.V)));

    /// <summary>Cost of a normalisation.</summary>
    public static Cost Of(in NormArgs a) => new(8L * a.X.Shape.Count, Size(a.X) + Size(a.Y) + Size(a.Residual));

    /// <summary>Cost of an elementwise combination.</summary>
    public static Cost Of(in CombineArgs a) => new(a.A.Shape.Count, Size(a.A) + Size(a.B) + Size(a.Y));

    /// <summary>Cost of a reduction.</summary>
    public static Cost Of(in ReduceArgs a) => new(a.X.Shape.Count, Size(a.X) + Size(a.Y));

    /// <summary>Cost of a softmax.</summary>
    public static Cost Of(in SoftmaxArgs a) => new(5L * a.X.Shape.Count, Size(a.X) + Size(a.Y));

    /// <summary>Cost of a selection: a comparison per element.</summary>
    public static Cost Of(in TopKArgs a) => new(a.X.Shape.Count, Size(a.X) + Size(a.Values) + Size(a.Ids));

    /// <summary>Cost of pooling.</summary>
    public static Cost Of(in PoolArgs a) => new((long)a.Stencil.Kernel * a.Stencil.Kernel * a.Y.Shape.Count, Size(a.X) + Size(a.Y));

    /// <summary>Cost of an embedding look-up: the rows that are read, not the table.</summary>
    public static Cost Of(in EmbedArgs a) => new(a.Positions.IsNone ? 0 : a.Y.Shape.Count, Size(a.Ids) + (2 * Size(a.Y)));

    /// <summary>Cost of a copy.</summary>
    public static Cost Of(in CopyRowsArgs a) => new(0, 2L * a.Groups * a.Count * a.X.Columns * a.X.Type.Size());

    /// <summary>Cost of a pixel conversion.</summary>
    public static Cost Of(in PixelsArgs a) => new(0, Size(a.Pixels) + Size(a.Y));

    private static long Size(Tensor t) => t.IsNone ? 0 : t.Shape.Count * t.Type.Size();
}
