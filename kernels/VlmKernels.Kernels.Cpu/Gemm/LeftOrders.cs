using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>How the elements of the left operand of a tile lie, as a type: strides become part of the instructions.</summary>
internal interface ILeftOrder
{
    /// <summary>Floats from a row to the next.</summary>
    static abstract int RowStride { get; }

    /// <summary>Floats from a step of k to the next.</summary>
    static abstract int StepStride(int rows);
}

/// <summary>[k][rows], as <see cref="TilePacker"/> makes it.</summary>
internal readonly struct Packed : ILeftOrder
{
    public static int RowStride { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 1; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StepStride(int rows) => rows;
}

/// <summary>[rows][128], of which k elements count: scores of a block of keys, where they are.</summary>
internal readonly struct BlockRows : ILeftOrder
{
    public static int RowStride { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 128; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int StepStride(int rows) => 1;
}
