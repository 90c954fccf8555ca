using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>The left operand of a product, row by row: dense rows, windows of a feature map, patches of a picture.</summary>
internal unsafe interface IRowSource
{
    /// <summary>The floats of a row in order; they lie in place, or are gathered into <paramref name="scratch"/> (one row long).</summary>
    float* Row(int row, float* scratch);
}

/// <summary>Rows of a matrix, in place.</summary>
internal readonly unsafe struct DenseRows(float* x, nint pitch) : IRowSource
{
    private readonly float* _x = x;
    private readonly nint _pitch = pitch;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public float* Row(int row, float* scratch) => _x + (row * _pitch);
}
