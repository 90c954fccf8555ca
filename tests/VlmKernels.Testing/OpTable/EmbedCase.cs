using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Embed"/>.</summary>
public sealed record EmbedCase(int Batch, int Length, int Vocabulary, int Width) : OpCase("Embed")
{
    /// <summary>Rows of positions beyond the length; negative: no positions.</summary>
    public int SparePositions { get; init; }

    /// <summary>y is columns of a wider matrix.</summary>
    public bool Pitched { get; init; }

    /// <summary>Every row starts at a position of its own, as far as the spare ones go.</summary>
    public bool Starts { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<EmbedCase> All =>
    [
        .. from shape in ((int Batch, int Length, int Width)[])[(1, 1, 1), (1, 3, 17), (3, 5, 33), (2, 16, 64)]
           from spare in (int[])[-1, 0, 4]
           from pitched in (bool[])[false, true]
           select new EmbedCase(shape.Batch, shape.Length, 29, shape.Width) { SparePositions = spare, Pitched = pitched },
        new(4, 1, 29, 33) { SparePositions = 9, Starts = true }, new(3, 5, 29, 17) { SparePositions = 6, Starts = true, Pitched = true },
        new(1, 4, 1, 8), new(0, 4, 9, 8), new(1, 77, 1000, 512), new(8, 77, 49408, 512),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Length} of {Vocabulary}x{Width} {(SparePositions < 0 ? "no positions" : $"{Length + SparePositions} positions")}" + Words((Pitched, "pitched"), (Starts, "starts"));

    /// <summary>One rounding, so every backend gives the same.</summary>
    public override float Tolerance => 0;

    /// <summary>The table itself is no part of the cost, but somebody has to fill it.</summary>
    public override bool PerfOnly => base.PerfOnly || (long)Vocabulary * Width > 4_000_000;

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var ids = inputs.I("ids", new(Batch, Length), Vocabulary);
        var y = inputs.Y(new(Batch, Length, Width), Pitched ? new Gap(5, 6) : default);
        var positions = SparePositions < 0 ? default : inputs.F("positions", new(Length + SparePositions, Width));
        s.Ops.Embed(new EmbedArgs(ids, inputs.Weight(WeightUse.Table, Vocabulary, Width, bias: false), y) 
        {
            Positions = positions,
            PositionStart = Starts ? inputs.I("starts", new(Batch), SparePositions + 1) : default,
        });
        return y;
    }
}
