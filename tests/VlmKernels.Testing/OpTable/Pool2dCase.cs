using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Pool2d"/>.</summary>
public sealed record Pool2dCase(PoolKind Kind, int Batch, int Height, int Width, int Channels, Stencil Stencil) : OpCase("Pool2d")
{
    /// <summary>y is columns of a wider map.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<Pool2dCase> All =>
    [
        .. from kind in Enum.GetValues<PoolKind>()
           from shape in ((int Batch, int Height, int Width, int Channels, Stencil Stencil)[])
           [
               (1, 1, 1, 1, new(1)), (2, 4, 6, 17, new(2, 2)), (1, 5, 7, 33, new(2, 2)), (1, 7, 7, 8, new(3, 2, 1, 1)), (2, 8, 9, 31, new(3, 2, 1, 1)),
               (1, 6, 6, 64, new(3, 1, 1, 1)), (1, 6, 5, 3, new(3, 2, 0, 1)), (1, 2, 2, 5, new(3, 1, 2, 2)), (1, 9, 9, 16, new(5, 3, 2, 1)), (3, 7, 7, 10, new(7)),
           ]
           from pitched in (bool[])[false, true]
           select new Pool2dCase(kind, shape.Batch, shape.Height, shape.Width, shape.Channels, shape.Stencil) { Pitched = pitched, Dyadic = true },
        new(PoolKind.Average, 2, 14, 14, 65, new(2, 2)), new(PoolKind.Average, 1, 112, 112, 64, new(2, 2)), new(PoolKind.Average, 1, 56, 56, 256, new(2, 2)), new(PoolKind.Max, 1, 112, 112, 64, new(3, 2, 1, 1)),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Kind} {Batch}x{Height}x{Width}x{Channels} k{Stencil.Kernel} s{Stencil.Stride} p{Stencil.PadBefore}/{Stencil.PadAfter}" + Words((Pitched, "pitched"));

    /// <summary>A maximum is one of the values; the division of an average may round once more.</summary>
    public override float Tolerance => Kind == PoolKind.Max ? 0 : 1e-6f;

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var x = inputs.A("x", new(Batch, Height, Width, Channels));
        var y = inputs.Y(new(Batch, Stencil.Windows(Height), Stencil.Windows(Width), Channels), Pitched ? new Gap(5, 6) : default);
        s.Ops.Pool2d(new PoolArgs(x, y, Kind, Stencil));
        return y;
    }
}
