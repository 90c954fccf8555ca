using System.Runtime.CompilerServices;

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
            // Read only where there is a bias or residual; the addresses cost nothing.
            float* bias = Bias + column, residual = Residual + (within * PitchResidual) + column;
            if (columns == panel)
            {
                S.Store(y, F.Apply(Sum<S, V>(S.Load(from), bias, residual)));
                S.Store(y + S.Width, F.Apply(Sum<S, V>(S.Load(from + S.Width), bias + S.Width, residual + S.Width)));
                continue;
            }
            for (int i = 0; i < columns; i += S.Width)
            {
                int count = Math.Min(S.Width, columns - i);
                S.StoreFirst(y + i, F.Apply(Tail<S, V>(S.Load(from + i), bias + i, residual + i, count)), count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly V Sum<S, V>(V v, float* bias, float* residual) where S : struct, ISimd<V> where V : struct
    {
        if (Scale != 1) v = S.Mul(v, S.Broadcast(Scale));
        if (Bias is not null) v = S.Add(v, S.Load(bias));
        return Residual is null ? v : S.Add(v, S.Load(residual));
    }

    /// <summary>As <see cref="Sum"/>, where the panel reaches beyond the last column.</summary>
    private readonly V Tail<S, V>(V v, float* bias, float* residual, int count) where S : struct, ISimd<V> where V : struct
    {
        if (Scale != 1) v = S.Mul(v, S.Broadcast(Scale));
        if (Bias is not null) v = S.Add(v, S.LoadFirst(bias, count));
        return Residual is null ? v : S.Add(v, S.LoadFirst(residual, count));
    }
}
