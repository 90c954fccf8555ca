using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>The number of rows of a tile as a type: the compiler folds every test of it, so one kernel text serves all heights.</summary>
internal interface IRowCount
{
    static abstract int Count { get; }
}

internal readonly struct Rows1 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 1; }
}

internal readonly struct Rows2 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 2; }
}

internal readonly struct Rows3 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 3; }
}

internal readonly struct Rows4 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 4; }
}

internal readonly struct Rows5 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 5; }
}

internal readonly struct Rows6 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 6; }
}

internal readonly struct Rows7 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 7; }
}

internal readonly struct Rows8 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 8; }
}

internal readonly struct Rows9 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 9; }
}

internal readonly struct Rows10 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 10; }
}

internal readonly struct Rows11 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 11; }
}

internal readonly struct Rows12 : IRowCount
{
    public static int Count { [MethodImpl(MethodImplOptions.AggressiveInlining)] get => 12; }
}
