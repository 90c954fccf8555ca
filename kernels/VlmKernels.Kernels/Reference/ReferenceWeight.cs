namespace VlmKernels.Kernels;

/// <summary>A weight as it came: F32 [outputs, inputs], kernels in the order channel, row, column.</summary>
internal sealed class ReferenceWeight(in PackRequest request, Tensor values, Tensor bias)
    : PackedWeight(request.Key, request.Use, values.Rows, values.Columns, bias)
{
    public Tensor Values { get; } = values;

    public override long Bytes => 4 * (((long)Outputs * Inputs) + (Bias.IsNone ? 0 : Outputs));

    public override void Dispose()
    {
        Values.Storage!.Dispose();
        Bias.Storage?.Dispose();
    }
}
