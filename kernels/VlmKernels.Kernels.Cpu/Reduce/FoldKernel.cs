namespace VlmKernels.Kernels.Cpu;

/// <summary>A rectangle of cells, each a run of columns.</summary>
internal unsafe struct Cells
{
    public float* First;
    public int Rows, PerRow;

    /// <summary>Floats from a row of cells to the next, and from a cell to the next.</summary>
    public nint RowPitch, CellPitch;
}

/// <summary>Folds cells into one, column by column. A column meets the cells in row order, wherever it lies.</summary>
internal static unsafe class FoldKernel<S, V, F> where S : struct, ISimd<V> where V : struct where F : struct, IFold<S, V>
{
    public static void Run(in Cells cells, int columns, float* y)
    {
        int i = 0;
        for (; i <= columns - (4 * S.Width); i += 4 * S.Width) Four(cells, i, y + i);
        for (; i < columns; i += S.Width) One(cells, i, y + i, Math.Min(S.Width, columns - i));
    }

    private static void Four(in Cells cells, int column, float* y)
    {
        V a = F.Start, b = F.Start, c = F.Start, d = F.Start;
        float* row = cells.First + column;
        nint pitch = cells.CellPitch;
        for (int r = cells.Rows; r > 0; r--, row += cells.RowPitch)
        {
            float* x = row;
            for (int n = cells.PerRow; n > 0; n--, x += pitch)
            {
                a = F.Step(a, S.Load(x));
                b = F.Step(b, S.Load(x + S.Width));
                c = F.Step(c, S.Load(x + (2 * S.Width)));
                d = F.Step(d, S.Load(x + (3 * S.Width)));
            }
        }
        int count = cells.Rows * cells.PerRow;
        S.Store(y, F.Finish(a, count));
        S.Store(y + S.Width, F.Finish(b, count));
        S.Store(y + (2 * S.Width), F.Finish(c, count));
        S.Store(y + (3 * S.Width), F.Finish(d, count));
    }

    private static void One(in Cells cells, int column, float* y, int columns)
    {
        V a = F.Start;
        float* row = cells.First + column;
        nint pitch = cells.CellPitch;
        for (int r = cells.Rows; r > 0; r--, row += cells.RowPitch)
        {
            float* x = row;
            for (int n = cells.PerRow; n > 0; n--, x += pitch) a = F.Step(a, S.LoadFirst(x, columns));
        }
        S.StoreFirst(y, F.Finish(a, cells.Rows * cells.PerRow), columns);
    }
}
