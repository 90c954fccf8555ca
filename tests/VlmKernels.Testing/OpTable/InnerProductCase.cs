using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.InnerProduct"/>: Queries rows of x against N stored rows of D elements.</summary>
public sealed record InnerProductCase(int Queries, int N, int D) : OpCase("InnerProduct")
{
    /// <summary>Rows are stored as F16.</summary>
    public bool Half { get; init; }

    /// <summary>All operands and the result are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<InnerProductCase> All =>
    [
        .. from half in (bool[])[false, true]
           from c in (InnerProductCase[])
           [
               new(1, 1, 1) { Dyadic = true }, new(1, 5, 3) { Dyadic = true, Pitched = true }, new(2, 3, 16) { Dyadic = true }, new(3, 9, 17) { Dyadic = true }, new(4, 8, 31) { Dyadic = true, Pitched = true },
               new(5, 7, 64) { Dyadic = true }, new(2, 130, 33) { Dyadic = true, Pitched = true }, new(0, 6, 8), new(3, 0, 8), new(1, 1000, 512), new(3, 301, 512), new(9, 77, 770),
               new(1, 400_000, 512), new(16, 400_000, 512),
           ]
           select c with { Half = half },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Queries}x{D} by {N}" + Words((Half, "f16"), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override int Items => Queries;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Queries = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        float scale = Dyadic ? 1 : 1 / MathF.Sqrt(D);
        var x = inputs.A("x", new(Queries, D), Pitched ? new Gap(3, 8) : default, (_, v) => v * scale);
        var rows = inputs.Mapped("rows", new(N, Pitched ? D + 5 : D), Half ? DType.F16 : DType.F32);
        var y = inputs.Y(new(Queries, N), Pitched ? new Gap(5, 6) : default);
        s.Ops.InnerProduct(new InnerProductArgs(x, Pitched ? rows.SliceColumns(3, D) : rows, y));
        return y;
    }
}
