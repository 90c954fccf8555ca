namespace VlmKernels.Kernels.Cpu;

/// <summary>A table [rows, width] whose rows are gathered: kept row by row.</summary>
internal sealed unsafe class TableWeight : PackedWeight
{
    private const int RowsAtOnce = 256;
    private readonly CpuStorage _rows;

    public TableWeight(in PackRequest request) : base(request.Key, request.Use, request.Matrix.Rows, request.Matrix.Columns, default)
    {
        _rows = new CpuStorage((long)Outputs * Inputs * sizeof(float));
        for (int r = 0; r < Outputs; r += RowsAtOnce)
        {
            int count = Math.Min(RowsAtOnce, Outputs - r);
            request.Matrix.Read(r, count, new Span<float>(Row(r), count * Inputs));
        }
    }

    public override long Bytes => _rows.Bytes;

    public float* Row(int row) => (float*)_rows.Base + ((long)row * Inputs);

    public override void Dispose() => _rows.Dispose();
}
