using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.PixelsToFloat"/>.</summary>
public sealed record PixelsToFloatCase(int Batch, int Height, int Width) : OpCase("PixelsToFloat")
{
    /// <summary>y is columns of a wider map.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<PixelsToFloatCase> All =>
    [
        new(1, 1, 1), new(1, 3, 5), new(2, 7, 9), new(3, 16, 16), new(2, 5, 5) { Pitched = true }, new(0, 2, 2), new(1, 224, 224), new(8, 224, 224),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Height}x{Width}" + Words((Pitched, "pitched"));

    /// <inheritdoc/>
    public override float Tolerance => 0;

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var y = inputs.Y(new(Batch, Height, Width, 3), Pitched ? new Gap(5, 6) : default);
        s.Ops.PixelsToFloat(new PixelsArgs(inputs.U("pixels", new(Batch, Height, Width, 3)), inputs.F("table", new(3, 256)), y));
        return y;
    }
}
