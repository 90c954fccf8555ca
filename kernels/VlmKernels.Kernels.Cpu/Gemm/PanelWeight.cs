namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// A weight [outputs, inputs] in panels: <c>[outputs / panel][inputs][panel]</c> with the last panel padded by zeros, so that the
/// micro-kernel reads it as one stream. A panel is two vectors of the tier wide.
/// </summary>
internal sealed unsafe class PanelWeight : PackedWeight
{
    private readonly CpuStorage _panels;
    private readonly CpuStorage? _bias;

    public PanelWeight(in PackRequest request, int panel, CpuStorage? bias, Tensor biasTensor)
        : base(request.Key, request.Use, request.Matrix.Rows, request.Matrix.Columns, biasTensor)
    {
        Panel = panel;
        _bias = bias;
        _panels = new CpuStorage((long)Panels * Inputs * panel * sizeof(float));
        try
        {
            Fill(request);
        }
        catch
        {
            // The source may be a damaged file; nobody else knows this memory yet.
            Dispose();
            throw;
        }
    }

    /// <summary>Columns of a panel.</summary>
    public int Panel { get; }

    /// <summary>Number of panels.</summary>
    public int Panels => (Outputs + Panel - 1) / Panel;

    /// <summary>First panel.</summary>
    public float* Data => (float*)_panels.Base;

    public override long Bytes => _panels.Bytes + (_bias?.Bytes ?? 0);

    public override void Dispose()
    {
        _panels.Dispose();
        _bias?.Dispose();
    }

    private void Fill(in PackRequest request)
    {
        var values = new float[Panel * Inputs];
        var ordered = request.Kernel > 1 ? new float[values.Length] : values;
        int[] order = request.Kernel > 1 ? ChannelsLast(request.Channels, request.Kernel) : [];
        float** rows = stackalloc float*[Panel];
        fixed (float* first = ordered)
        {
            for (int r = 0; r < Panel; r++) rows[r] = first + ((long)r * Inputs);
            for (int p = 0; p < Panels; p++)
            {
                int count = Math.Min(Panel, Outputs - (p * Panel));
                request.Matrix.Read(p * Panel, count, values.AsSpan(0, count * Inputs));
                if (order.Length > 0) Reorder(values, ordered, count, order);
                TilePacker.Pack(rows, count, Inputs, Data + ((long)p * Inputs * Panel), Panel);
            }
        }
    }

    private static void Reorder(float[] from, float[] into, int rows, int[] order)
    {
        for (int r = 0; r < rows; r++)
        {
            int start = r * order.Length;
            for (int k = 0; k < order.Length; k++) into[start + k] = from[start + order[k]];
        }
    }

    /// <summary>Files keep kernels as channel, row, column; pixels and feature maps have their channels last.</summary>
    private static int[] ChannelsLast(int channels, int side)
    {
        var order = new int[channels * side * side];
        int k = 0;
        for (int cell = 0; cell < side * side; cell++)
        {
            for (int c = 0; c < channels; c++) order[k++] = (c * side * side) + cell;
        }
        return order;
    }
}
