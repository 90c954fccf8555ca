using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Where a product goes: y = act(scale · product + bias + residual), while a tile lies in registers or in the first-level cache.</summary>
internal unsafe struct GemmOutput
{
    public float* Y, Bias, Residual;
    public nint PitchY, PitchResidual;
    public int Columns;
    public float Scale;
    public Activation Activation;

    /// <summary>0, or: rows fall into groups of this many; group g starts at row g · <see cref="GroupStride"/> of y, and the residual repeats per group.</summary>
    public int Group, GroupStride;

    /// <summary>Computes one tile and writes it.</summary>
    /// <param name="a">[k][rows].</param>
    /// <param name="b">[k][panel].</param>
    /// <param name="k">Terms of each sum that are still to come.</param>
    /// <param name="start">[rows][panel]: the sums so far; null: zero.</param>
    /// <param name="row">Row of the product that the tile's first row is.</param>
    /// <param name="rows">Rows of the tile.</param>
    /// <param name="column">Column of y that the tile's first column goes to.</param>
    /// <param name="ahead">See <see cref="MicroKernel"/>.</param>
    /// <param name="aheadStep">See <see cref="MicroKernel"/>.</param>
    public readonly void Multiply<S, V>(float* a, float* b, int k, float* start, nint row, int rows, int column, byte* ahead, nint aheadStep) where S : struct, ISimd<V> where V : struct
    {
        int panel = 2 * S.Width;
        if (Group == 0 && Scale == 1 && Columns - column >= panel)
        {
            float* y = Y + (row * PitchY) + column, residual = Residual is null ? null : Residual + (row * PitchResidual) + column;
            Fetch<S, V>(y, PitchY, rows);
            if (residual is not null) Fetch<S, V>(residual, PitchResidual, rows);
            var end = new TileEnd(y, PitchY) { Bias = Bias is null ? null : Bias + column, Residual = residual, LdResidual = PitchResidual };
            MicroKernel.Run<S, V, Packed>(rows, a, b, panel, k, start, panel, end, ahead, aheadStep);
            Activate<S, V>(y, PitchY, rows, panel);
            return;
        }
        float* tile = stackalloc float[MicroKernel.MaxRows<S, V>() * panel];
        MicroKernel.Run<S, V, Packed>(rows, a, b, panel, k, start, panel, new TileEnd(tile, panel), ahead, aheadStep);
        Write<S, V>(tile, row, rows, column);
    }

    /// <summary>Asks for the memory that the end of a tile will meet.</summary>
    private static void Fetch<S, V>(float* p, nint pitch, int rows) where S : struct, ISimd<V> where V : struct
    {
        for (int r = 0; r < rows; r++, p += pitch)
        {
            S.PrefetchNear(p);
            S.PrefetchNear(p + S.Width);
        }
    }

    /// <summary>Writes a tile whose columns or rows do not lie in y as they do in the tile.</summary>
    private readonly void Write<S, V>(float* tile, nint row, int rows, int column) where S : struct, ISimd<V> where V : struct
    {
        int panel = 2 * S.Width, columns = Math.Min(panel, Columns - column);
        for (int r = 0; r < rows; r++)
        {
            nint at = row + r, within = Group == 0 ? at : at % Group;
            float* y = Y + ((Group == 0 ? at : (at / Group * GroupStride) + within) * PitchY) + column;
            for (int i = 0; i < columns; i += S.Width)
            {
                int count = Math.Min(S.Width, columns - i);
                V v = S.Load(tile + (r * panel) + i);
                if (Scale != 1) v = S.Mul(v, S.Broadcast(Scale));
                if (Bias is not null) v = S.Add(v, Load<S, V>(Bias + column + i, count));
                if (Residual is not null) v = S.Add(v, Load<S, V>(Residual + (within * PitchResidual) + column + i, count));
                Store<S, V>(y + i, v, count);
            }
            Activate<S, V>(y, PitchY, 1, columns);
        }
    }

    private readonly void Activate<S, V>(float* y, nint pitch, int rows, int columns) where S : struct, ISimd<V> where V : struct
    {
        switch (Activation)
        {
            case Activation.Relu: Activate<S, V, Relu<S, V>>(y, pitch, rows, columns); break;
            case Activation.Gelu: Activate<S, V, Gelu<S, V>>(y, pitch, rows, columns); break;
            case Activation.GeluTanh: Activate<S, V, GeluTanh<S, V>>(y, pitch, rows, columns); break;
            case Activation.QuickGelu: Activate<S, V, QuickGelu<S, V>>(y, pitch, rows, columns); break;
            case Activation.Silu: Activate<S, V, Silu<S, V>>(y, pitch, rows, columns); break;
            case Activation.Sigmoid: Activate<S, V, Sigmoid<S, V>>(y, pitch, rows, columns); break;
            case Activation.Tanh: Activate<S, V, Tanh<S, V>>(y, pitch, rows, columns); break;
        }
    }

    private static void Activate<S, V, F>(float* y, nint pitch, int rows, int columns) where S : struct, ISimd<V> where V : struct where F : struct, IActivation<S, V>
    {
        for (int r = 0; r < rows; r++, y += pitch)
        {
            int i = 0;
            // Two at a time: they do not wait for each other.
            for (; i + (2 * S.Width) <= columns; i += 2 * S.Width)
            {
                V left = F.Apply(S.Load(y + i)), right = F.Apply(S.Load(y + i + S.Width));
                S.Store(y + i, left);
                S.Store(y + i + S.Width, right);
            }
            for (; i < columns; i += S.Width)
            {
                int count = Math.Min(S.Width, columns - i);
                Store<S, V>(y + i, F.Apply(Load<S, V>(y + i, count)), count);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Load<S, V>(float* p, int count) where S : struct, ISimd<V> where V : struct => count == S.Width ? S.Load(p) : S.LoadFirst(p, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<S, V>(float* p, V v, int count) where S : struct, ISimd<V> where V : struct
    {
        if (count == S.Width) S.Store(p, v);
        else S.StoreFirst(p, v, count);
    }
}
