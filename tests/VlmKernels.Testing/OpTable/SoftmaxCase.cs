using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Softmax"/>.</summary>
public sealed record SoftmaxCase(int Rows, int Columns) : OpCase("Softmax")
{
    /// <summary>Log-softmax.</summary>
    public bool Log { get; init; }

    /// <summary>Multiplies x first.</summary>
    public float Scale { get; init; } = 1;

    /// <summary>Every third value is −∞; every third row has nothing else.</summary>
    public bool Holes { get; init; }

    /// <summary>y is x.</summary>
    public bool InPlace { get; init; }

    /// <summary>x and y are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<SoftmaxCase> All =>
    [
        .. from log in (bool[])[false, true]
           from columns in (int[])[1, 2, 7, 8, 9, 16, 17, 31, 33, 64, 65, 257]
           select new SoftmaxCase(3, columns) { Log = log, InPlace = columns % 3 == 0, Pitched = columns % 2 == 1 },
        .. from log in (bool[])[false, true]
           from columns in (int[])[5, 16, 35]
           select new SoftmaxCase(7, columns) { Log = log, Holes = true },
        .. from log in (bool[])[false, true]
           from scale in (float[])[100, 0.07f, -3, 0]
           select new SoftmaxCase(4, 37) { Log = log, Scale = scale },
        new(0, 5), new(1, 1000) { Scale = 100 }, new(256, 1000) { Scale = 100 }, new(6, 49408) { Log = true },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Rows}x{Columns}" + Words((Log, "log"), (Scale != 1, $"scale {Scale}"), (Holes, "holes"), (InPlace, "in place"), (Pitched, "pitched"));

    /// <summary>Rounding of scale · x in F32 is magnified by exp: scores of ±100 are 4e-6 apart.</summary>
    public override float Tolerance => Math.Abs(Scale) > 10 ? 3e-5f : 3e-6f;

    /// <inheritdoc/>
    public override int Items => Rows;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Rows = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var (shape, gap, columns) = (new Shape(Rows, Columns), Pitched ? new Gap(5, 6) : default, Columns);
        Func<long, float, float>? alter = Holes ? (at, v) => at % 3 == 0 || at / columns % 3 == 1 ? float.NegativeInfinity : v : null;
        var x = InPlace ? inputs.InPlace("x", shape, gap, alter) : inputs.A("x", shape, gap, alter);
        var y = InPlace ? x : inputs.Y(shape, gap);
        s.Ops.Softmax(new SoftmaxArgs(x, y, Scale, Log));
        return y;
    }
}
