namespace VlmKernels.Kernels.Cpu;

/// <summary>Where the sums of a tile go, straight from the registers: c = sums + bias + residual.</summary>
/// <param name="c">[rows] of two vectors.</param>
/// <param name="ldc">Floats from one row of c to the next.</param>
internal unsafe struct TileEnd(float* c, nint ldc)
{
    public readonly float* C = c;
    public readonly nint LdC = ldc;

    /// <summary>Two vectors that are added to every row; null: nothing.</summary>
    public float* Bias;

    /// <summary>[rows] of two vectors that are added; null: nothing.</summary>
    public float* Residual;

    /// <summary>Floats from one row of the residual to the next.</summary>
    public nint LdResidual;
}
