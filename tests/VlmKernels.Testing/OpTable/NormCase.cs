using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Norm"/>.</summary>
public sealed record NormCase(int Rows, int Columns, float Epsilon) : OpCase("Norm")
{
    /// <summary>The formula.</summary>
    public NormKind Kind { get; init; }

    /// <summary>Whether there are weight and bias.</summary>
    public bool Affine { get; init; } = true;

    /// <summary>What is added first.</summary>
    public ResidualKind Residual { get; init; }

    /// <summary>y is x.</summary>
    public bool InPlace { get; init; }

    /// <summary>x and y are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>Added to every value of x: a large one shows a one-pass variance.</summary>
    public float Mean { get; init; }

    /// <summary>Every row has one value throughout, every other row zeros.</summary>
    public bool Constant { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<NormCase> All =>
    [
        new(1, 1, 1e-5f), new(3, 2, 1e-5f), new(3, 17, 1e-12f), new(0, 8, 1e-5f),
        .. from columns in (int[])[7, 8, 15, 16, 31, 32, 33, 63, 65, 127, 129, 512, 640, 768, 1024, 1280, 1664] select new NormCase(3, columns, 1e-5f),
        .. from columns in (int[])[1, 7, 16, 17, 33, 64, 511, 512, 768, 1024] select new NormCase(3, columns, 1e-12f) { Kind = NormKind.L2, Affine = false },
        .. from residual in (ResidualKind[])[ResidualKind.Apart, ResidualKind.Pitched, ResidualKind.IsY]
           from pitched in (bool[])[false, true]
           select new NormCase(17, 45, 1e-6f) { Residual = residual, Pitched = pitched },
        new(5, 77, 1e-5f) { InPlace = true }, new(5, 77, 1e-5f) { InPlace = true, Pitched = true, Residual = ResidualKind.Apart }, new(5, 77, 1e-5f) { Affine = false },
        new(5, 77, 1e-12f) { Kind = NormKind.L2, Affine = false, InPlace = true, Pitched = true }, new(5, 77, 1e-5f) { Pitched = true },
        new(4, 768, 1e-5f) { Mean = 1000 }, new(4, 37, 1e-12f) { Mean = -1000 }, new(4, 512, 1e-5f) { Constant = true }, new(4, 33, 1e-12f) { Kind = NormKind.L2, Affine = false, Constant = true },
        new(50, 768, 1e-5f), new(77, 512, 1e-5f), new(197, 768, 1e-6f), new(257, 1024, 1e-5f), new(577, 1024, 1e-6f), new(400, 768, 1e-5f), new(9248, 1664, 1e-5f),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Kind} {Rows}x{Columns} eps {Epsilon}" + Words((Kind == NormKind.LayerNorm && !Affine, "plain"), (Residual != ResidualKind.None, $"residual {Residual}"),
        (InPlace, "in place"), (Pitched, "pitched"), (Mean != 0, $"mean {Mean}"), (Constant, "constant"));

    /// <summary>A mean of 1000 leaves x itself a spread of 1e-3 in steps of 6e-5: no F32 mean is closer.</summary>
    public override float Tolerance => Mean != 0 ? 1e-3f : 1e-5f;

    /// <inheritdoc/>
    public override int Items => Rows;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Rows = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var (shape, gap, columns) = (new Shape(Rows, Columns), Pitched ? new Gap(5, 6) : default, Columns);
        Func<long, float, float> alter = Constant ? (at, _) => at / columns % 2 * 3 : (_, v) => v + Mean;
        var x = InPlace ? inputs.InPlace("x", shape, gap, alter) : inputs.A("x", shape, gap, alter);
        var y = InPlace ? x : Residual == ResidualKind.IsY ? inputs.InPlace("y", shape, gap) : inputs.Y(shape, gap);
        s.Ops.Norm(new NormArgs(x, y, Kind, Epsilon)
        {
            Weight = Affine ? inputs.F("weight", new(Columns)) : default,
            Bias = Affine ? inputs.F("bias", new(Columns)) : default,
            Residual = Residual switch
            {
                ResidualKind.None => default,
                ResidualKind.IsY => y,
                _ => inputs.A("residual", shape, Residual == ResidualKind.Pitched ? new Gap(7, 2) : default),
            },
        });
        return y;
    }
}
