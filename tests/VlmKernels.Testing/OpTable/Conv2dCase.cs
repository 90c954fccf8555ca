using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Conv2d"/>.</summary>
public sealed record Conv2dCase(int Batch, int Height, int Width, int Channels, int Outputs, Stencil Stencil) : OpCase("Conv2d")
{
    private static readonly Stencil Same = new(3, 1, 1, 1), Halve = new(3, 2, 1, 1);

    /// <summary>Whether the weight has a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Applied last.</summary>
    public Activation Activation { get; init; } = Activation.Relu;

    /// <summary>What is added.</summary>
    public ResidualKind Residual { get; init; }

    /// <summary>y is columns of a wider map.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<Conv2dCase> All =>
    [
        new(1, 1, 1, 1, 1, new(1)) { Dyadic = true }, new(1, 3, 3, 1, 1, new(3)) { Dyadic = true }, new(1, 1, 1, 5, 7, Same) { Dyadic = true },
        new(2, 2, 3, 4, 9, Same) { Dyadic = true }, new(1, 7, 5, 3, 33, Same) { Dyadic = true }, new(3, 8, 9, 17, 31, Same) { Dyadic = true },
        new(1, 7, 9, 3, 17, Halve) { Dyadic = true }, new(2, 8, 10, 16, 32, Halve) { Dyadic = true }, new(1, 9, 11, 3, 64, new(3, 2, 0, 1)) { Dyadic = true },
        new(1, 9, 8, 6, 10, new(3, 2, 1, 0)) { Dyadic = true }, new(1, 11, 7, 4, 12, new(5, 2, 1, 2)) { Dyadic = true }, new(1, 10, 10, 3, 8, new(4, 3)) { Dyadic = true },
        new(1, 12, 12, 3, 16, new(7, 2, 3, 3)) { Dyadic = true }, new(1, 6, 6, 8, 16, new(2, 2)) { Dyadic = true }, new(2, 5, 5, 32, 64, new(1, 2)) { Dyadic = true },
        new(2, 6, 7, 65, 33, Same) { Dyadic = true, Bias = false, Activation = Activation.None }, new(1, 14, 14, 20, 24, new(1)) { Dyadic = true },
        .. from residual in Enum.GetValues<ResidualKind>()
           from pitched in (bool[])[false, true]
           select new Conv2dCase(2, 5, 6, 9, 13, Same) { Dyadic = true, Residual = residual, Pitched = pitched },
        .. from activation in Enum.GetValues<Activation>() select new Conv2dCase(1, 6, 5, 12, 21, Same) { Activation = activation },
        new(1, 28, 28, 3, 32, Halve), new(2, 16, 16, 32, 32, Same), new(1, 14, 14, 64, 64, Same), new(1, 7, 7, 128, 128, Same),
        // RN50 at 224: stem, then one 3×3 of each stage.
        new(1, 224, 224, 3, 32, Halve), new(1, 112, 112, 32, 32, Same), new(1, 112, 112, 32, 64, Same),
        new(1, 56, 56, 64, 64, Same), new(1, 28, 28, 128, 128, Same), new(1, 14, 14, 256, 256, Same), new(1, 7, 7, 512, 512, Same),
        new(8, 56, 56, 64, 64, Same), new(8, 14, 14, 256, 256, Same), new(1, 289, 289, 3, 64, new(3, 2, 0, 1)) { Activation = Activation.Silu },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Height}x{Width}x{Channels}->{Outputs} k{Stencil.Kernel} s{Stencil.Stride} p{Stencil.PadBefore}/{Stencil.PadAfter}" + Words(
        (!Bias, "no bias"), (Activation != Activation.None, Activation.ToString()), (Residual != ResidualKind.None, $"residual {Residual}"), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var shape = new Shape(Batch, Stencil.Windows(Height), Stencil.Windows(Width), Outputs);
        var gap = Pitched ? new Gap(5, 6) : default;
        var x = inputs.A("x", new(Batch, Height, Width, Channels));
        var y = Residual == ResidualKind.IsY ? inputs.InPlace("y", shape, gap) : inputs.Y(shape, gap);
        var residual = Residual switch
        {
            ResidualKind.None => default,
            ResidualKind.IsY => y,
            _ => inputs.A("residual", shape, Residual == ResidualKind.Pitched ? new Gap(7, 2) : default),
        };
        var weight = inputs.Weight(WeightUse.Conv, Outputs, Channels * Stencil.Kernel * Stencil.Kernel, Bias, Stencil.Kernel);
        s.Ops.Conv2d(new ConvArgs(x, weight, y, Stencil) { Epilogue = new(Activation, residual) });
        return y;
    }
}
