using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Combine"/>: a [Repeats · BRows, Columns] with b [BRows, Columns].</summary>
public sealed record CombineCase(CombineKind Kind, int Repeats, int BRows, int Columns) : OpCase("Combine")
{
    /// <summary>y is a.</summary>
    public bool InPlace { get; init; }

    /// <summary>All three are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<CombineCase> All =>
    [
        .. from kind in Enum.GetValues<CombineKind>()
           from shape in ((int Repeats, int BRows, int Columns)[])[(1, 1, 1), (1, 3, 17), (5, 1, 33), (3, 4, 31), (2, 50, 64), (7, 3, 8), (1, 17, 129)]
           from layout in Enumerable.Range(0, 4)
           select new CombineCase(kind, shape.Repeats, shape.BRows, shape.Columns) { InPlace = (layout & 1) != 0, Pitched = (layout & 2) != 0 },
        new(CombineKind.Add, 0, 1, 8), new(CombineKind.Add, 1, 77, 512), new(CombineKind.Add, 8, 77, 512), new(CombineKind.Add, 8, 197, 768), new(CombineKind.Multiply, 81, 1, 3840),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Kind} {Repeats}x{BRows}x{Columns}" + Words((InPlace, "in place"), (Pitched, "pitched"));

    /// <summary>One rounding, so every backend gives the same.</summary>
    public override float Tolerance => 0;

    /// <inheritdoc/>
    public override int Items => Repeats;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Repeats = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var (shape, gap) = (new Shape(Repeats * BRows, Columns), Pitched ? new Gap(5, 6) : default);
        var a = InPlace ? inputs.InPlace("a", shape, gap) : inputs.A("a", shape, gap);
        var b = Pitched ? inputs.F("b", new(BRows, Columns + 3)).SliceColumns(1, Columns) : inputs.F("b", new(BRows, Columns));
        var y = InPlace ? a : inputs.Y(shape, gap);
        s.Ops.Combine(new CombineArgs(a, b, y, Kind));
        return y;
    }
}
