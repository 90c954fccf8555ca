namespace VlmKernels.Kernels;

/// <summary>Copies between dense host bytes and the rows of a tensor.</summary>
internal static class Copies
{
    public static void In(ReadOnlySpan<byte> source, Tensor destination)
    {
        var rows = new MatrixView<byte>(destination);
        for (int i = 0; i < rows.Rows; i++) source.Slice(i * rows.Columns, rows.Columns).CopyTo(rows.Row(i));
    }

    public static void Out(Tensor source, Span<byte> destination)
    {
        var rows = new MatrixView<byte>(source);
        for (int i = 0; i < rows.Rows; i++) rows.Row(i).CopyTo(destination.Slice(i * rows.Columns, rows.Columns));
        GC.KeepAlive(source.Storage);
    }
}
