namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// <see cref="IOps.MatMul"/>: the right operand is an activation, so it is brought into panels first, then the product is that of a linear layer.
/// </summary>
internal static unsafe class MatMulOp
{
    public static void Run(CpuQueue q, in MatMulArgs a)
    {
        int batch = a.X.Shape.Rank == 3 ? a.X.Shape[0] : 1, shared = a.W.Shape.Rank == 3 ? a.W.Shape[0] : 1;
        int m = a.X.Rows / Math.Max(1, batch), n = a.W.Rows / Math.Max(1, shared), k = a.X.Columns;
        if (batch == 0 || m == 0 || n == 0) return;
        int panel = q.PanelWidth;
        float* panels = q.Panels((long)((n + panel - 1) / panel) * panel * k);
        for (int b = 0; b < batch; b++)
        {
            if (b < shared) Pack(q, CpuStorage.Floats(a.W) + ((long)b * n * a.W.Pitch), a.W.Pitch, n, k, panel, panels);
            var output = new GemmOutput { Y = CpuStorage.Floats(a.Y) + ((long)b * m * a.Y.Pitch), PitchY = a.Y.Pitch, Columns = n, Scale = a.Scale };
            Gemm.Run(q, new DenseRows(CpuStorage.Floats(a.X) + ((long)b * m * a.X.Pitch), a.X.Pitch), m, k, panels, output);
        }
    }

    private static void Pack(CpuQueue q, float* w, nint pitch, int n, int k, int panel, float* panels)
    {
        var job = new PanelJob { W = w, Pitch = pitch, N = n, K = k, Panel = panel, Panels = panels };
        q.Workers.Run(ref job, (n + panel - 1) / panel);
    }

    private struct PanelJob : IJob
    {
        public float* W, Panels;
        public nint Pitch;
        public int N, K, Panel;

        public readonly void Run(int item, int worker)
        {
            int first = item * Panel, count = Math.Min(Panel, N - first);
            float** rows = stackalloc float*[Panel];
            for (int r = 0; r < count; r++) rows[r] = W + ((first + r) * Pitch);
            TilePacker.Pack(rows, count, K, Panels + ((long)item * K * Panel), Panel);
        }
    }
}
