using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Reduce"/>: x [Groups · Count, Columns].</summary>
public sealed record ReduceCase(ReduceKind Kind, int Groups, int Count, int Columns) : OpCase("Reduce")
{
    /// <summary>x and y are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<ReduceCase> All =>
    [
        .. from shape in ((int Groups, int Count, int Columns)[])[(1, 1, 1), (1, 3, 17), (3, 1, 33), (2, 49, 31), (5, 7, 64), (3, 12, 129)]
           from layout in Enumerable.Range(0, 4)
           select new ReduceCase((ReduceKind)(layout & 1), shape.Groups, shape.Count, shape.Columns) { Pitched = (layout & 2) != 0, Dyadic = true },
        new(ReduceKind.Mean, 2, 49, 130), new(ReduceKind.Sum, 2, 197, 65), new(ReduceKind.Mean, 1, 49, 2048), new(ReduceKind.Mean, 8, 49, 2048), new(ReduceKind.Mean, 1, 5184, 288),
        new(ReduceKind.Mean, 2, 577, 192), new(ReduceKind.Mean, 16, 577, 768),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Kind} {Groups}x{Count}x{Columns}" + Words((Pitched, "pitched"));

    /// <summary>A sum of dyadic values is exact; a mean rounds once or twice, by how it divides; hundreds of values summed in F32 lose some digits.</summary>
    public override float Tolerance => !Dyadic ? 1e-5f : Kind == ReduceKind.Sum ? 0 : 3e-7f;

    /// <inheritdoc/>
    public override int Items => Groups;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Groups = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var gap = Pitched ? new Gap(5, 6) : default;
        var x = inputs.A("x", new(Groups, Count, Columns), gap);
        var y = inputs.Y(new(Groups, Columns), gap);
        s.Ops.Reduce(new ReduceArgs(x, y, Kind));
        return y;
    }
}
