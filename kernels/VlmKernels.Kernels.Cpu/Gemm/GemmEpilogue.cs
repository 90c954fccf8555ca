namespace VlmKernels.Kernels.Cpu;

/// <summary>Where a product goes: y = act(product + bias + residual), from a tile that still lies in the first-level cache.</summary>
internal unsafe struct GemmOutput
{
    public float* Y, Bias, Residual;
    public nint PitchY, PitchResidual;
    public int Columns;
    public float Scale;
    public Activation Activation;

    /// <summary>0, or: rows fall into groups of this many; group g starts at row g · <see cref="GroupStride"/> of y, and the residual repeats per group.</summary>
    public int Group, GroupStride;

    /// <summary>Writes one tile.</summary>
    /// <param name="tile">[rows][panel].</param>
    /// <param name="row">Row of y that the tile's first row goes to.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="column">Column of y that the tile's first column goes to.</param>
    public readonly void Write<S, V>(float* tile, nint row, int rows, int column) where S : struct, ISimd<V> where V : struct
    {
        switch (Activation)
        {
            case Activation.None: Rows<S, V, Identity<S, V>>(tile, row, rows, column); break;
            case Activation.Relu: Rows<S, V, Relu<S, V>>(tile, row, rows, column); break;
            case Activation.Gelu: Rows<S, V, Gelu<S, V>>(tile, row, rows, column); break;
            case Activation.GeluTanh: Rows<S, V, GeluTanh<S, V>>(tile, row, rows, column); break;
            case Activation.QuickGelu: Rows<S, V, QuickGelu<S, V>>(tile, row, rows, column); break;
            case Activation.Silu: Rows<S, V, Silu<S, V>>(tile, row, rows, column); break;
            case Activation.Sigmoid: Rows<S, V, Sigmoid<S, V>>(tile, row, rows, column); break;
            case Activation.Tanh: Rows<S, V, Tanh<S, V>>(tile, row, rows, column); break;
        }
    }

    private readonly void Rows<S, V, F>(float* tile, nint row, int rows, int column)
        where S : struct, ISimd<V> where V : struct where F : struct, IActivation<S, V>
    {
        int panel = 2 * S.Width, columns = Math.Min(panel, Columns - column);
        for (int r = 0; r < rows; r++)
        {
            float* from = tile + (r * panel);
            nint at = row + r, within = Group == 0 ? at : at % Group;
            float* y = Y + ((Group == 0 ? at : (at / Group * GroupStride) + within) * PitchY) + column;
            float* bias = Bias is null ? null : Bias + column;
            float* residual = Residual is null ? null : Residual + (within * PitchResidual) + column;
            for (int i = 0; i < columns; i += S.Width)
            {
                int count = Math.Min(S.Width, columns - i);
                V v = S.Load(from + i);
                if (Scale != 1) v = S.Mul(v, S.Broadcast(Scale));
                if (bias is not null) v = S.Add(v, S.LoadFirst(bias + i, count));
                if (residual is not null) v = S.Add(v, S.LoadFirst(residual + i, count));
                S.StoreFirst(y + i, F.Apply(v), count);
            }
        }
    }
}
