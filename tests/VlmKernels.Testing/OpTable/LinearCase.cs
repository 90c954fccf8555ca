using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>Where a residual comes from.</summary>
public enum ResidualKind
{
    /// <summary>None is added.</summary>
    None,
    /// <summary>A matrix of its own.</summary>
    Apart,
    /// <summary>Columns of a wider matrix.</summary>
    Pitched,
    /// <summary>The result's memory.</summary>
    IsY,
}

/// <summary>A row of <see cref="IOps.Linear"/>.</summary>
public sealed record LinearCase(int Rows, int Inputs, int Outputs) : OpCase("Linear")
{
    /// <summary>Whether the weight has a bias.</summary>
    public bool Bias { get; init; } = true;

    /// <summary>Applied last.</summary>
    public Activation Activation { get; init; }

    /// <summary>What is added.</summary>
    public ResidualKind Residual { get; init; }

    /// <summary>x and y are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<LinearCase> All =>
    [
        // Every row count of a tile and its remainder, with sizes that fill no vector.
        .. from rows in (int[])[1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 17, 24, 25] select new LinearCase(rows, 19, 37) { Dyadic = true },
        .. from outputs in (int[])[1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 63, 64, 65, 96, 127] select new LinearCase(5, 24, outputs) { Dyadic = true, Bias = outputs % 2 == 0 },
        .. from inputs in (int[])[1, 2, 3, 4, 7, 8, 16, 31, 33, 255, 256, 257, 511, 513, 1025] select new LinearCase(7, inputs, 40) { Dyadic = true },
        new(50, 768, 96) { Dyadic = true }, new(77, 512, 100) { Dyadic = true }, new(197, 192, 33) { Dyadic = true }, new(257, 64, 71) { Dyadic = true },
        new(577, 48, 80) { Dyadic = true }, new(13, 4096, 33) { Dyadic = true }, new(13, 3072, 48) { Dyadic = true, Bias = false },
        .. from residual in Enum.GetValues<ResidualKind>()
           from pitched in (bool[])[false, true]
           from dyadic in (bool[])[true, false]
           select new LinearCase(17, 45, 51) { Residual = residual, Pitched = pitched, Dyadic = dyadic, Activation = Activation.Relu },
        .. from activation in Enum.GetValues<Activation>()
           from residual in (ResidualKind[])[ResidualKind.None, ResidualKind.IsY]
           select new LinearCase(9, 77, 43) { Activation = activation, Residual = residual },
        .. from activation in Enum.GetValues<Activation>() select new LinearCase(3, 40, 64) { Activation = activation, Bias = false },
        new(0, 16, 16), new(50, 768, 768) { Residual = ResidualKind.IsY }, new(17, 512, 2048) { Activation = Activation.QuickGelu }, new(3, 1024, 768) { Bias = false },
        new(1, 512, 512) { Bias = false }, new(8, 2048, 512) { Bias = false }, new(49, 256, 1024) { Activation = Activation.Relu, Residual = ResidualKind.Apart },
        .. Tower(50, 768), .. Tower(197, 768), .. Tower(257, 1024), .. Tower(77, 512), .. Tower(77, 768), .. Tower(400, 768), .. Tower(1576, 768), .. Tower(2056, 1024), .. Tower(616, 512),
        // 1×1 convolutions of RN50: 56², 28², 14², 7² cells.
        new(3136, 64, 256) { Activation = Activation.Relu, Residual = ResidualKind.Apart }, new(3136, 256, 64) { Activation = Activation.Relu },
        new(784, 512, 128) { Activation = Activation.Relu }, new(196, 1024, 256) { Activation = Activation.Relu }, new(49, 2048, 512) { Activation = Activation.Relu },
        new(1, 768, 49408) { Bias = false },
        // Decode steps: one row, and the beams of a picture.
        .. from rows in (int[])[1, 3, 8] from shape in ((int In, int Out)[])[(768, 2304), (768, 768), (768, 3072), (3072, 768), (768, 30524)] select new LinearCase(rows, shape.In, shape.Out),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Rows}x{Inputs}->{Outputs}" + Words(
        (!Bias, "no bias"), (Activation != Activation.None, Activation.ToString()), (Residual != ResidualKind.None, $"residual {Residual}"), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override int Items => Rows;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Rows = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var gap = Pitched ? new Gap(5, 6) : default;
        var x = inputs.A("x", new(Rows, Inputs), Pitched ? new Gap(3, 8) : default);
        var y = Residual == ResidualKind.IsY ? inputs.InPlace("y", new(Rows, Outputs), gap) : inputs.Y(new(Rows, Outputs), gap);
        var residual = Residual switch
        {
            ResidualKind.None => default,
            ResidualKind.IsY => y,
            _ => inputs.A("residual", new(Rows, Outputs), Residual == ResidualKind.Pitched ? new Gap(7, 2) : default),
        };
        s.Ops.Linear(new LinearArgs(x, inputs.Weight(WeightUse.Linear, Outputs, Inputs, Bias), y) { Epilogue = new(Activation, residual) });
        return y;
    }

    /// <summary>The four products of a transformer block: qkv, out, fc1, fc2.</summary>
    private static IEnumerable<LinearCase> Tower(int rows, int width) =>
    [
        new(rows, width, 3 * width), new(rows, width, width) { Residual = ResidualKind.Apart },
        new(rows, width, 4 * width) { Activation = Activation.QuickGelu }, new(rows, 4 * width, width) { Residual = ResidualKind.Apart },
    ];
}
