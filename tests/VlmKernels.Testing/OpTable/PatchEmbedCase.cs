using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.PatchEmbed"/>.</summary>
public sealed record PatchEmbedCase(int Batch, int Height, int Width, int Patch, int Outputs) : OpCase("PatchEmbed")
{
    /// <summary>Pixels are U with a byte table, else F.</summary>
    public bool Bytes { get; init; } = true;

    /// <summary>Token 0 is a class token.</summary>
    public bool ClassToken { get; init; } = true;

    /// <summary>Positions are added.</summary>
    public bool Positions { get; init; } = true;

    /// <summary>Whether the weight has a bias.</summary>
    public bool Bias { get; init; }

    /// <summary>y is columns of a wider matrix.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<PatchEmbedCase> All =>
    [
        .. from bytes in (bool[])[false, true]
           from cls in (bool[])[false, true]
           from positions in (bool[])[false, true]
           select new PatchEmbedCase(2, 9, 7, 3, 17) { Bytes = bytes, ClassToken = cls, Positions = positions, Bias = cls != positions, Dyadic = true },
        new(1, 1, 1, 1, 1) { Dyadic = true }, new(1, 5, 5, 5, 33) { Dyadic = true }, new(3, 11, 13, 4, 40) { Dyadic = true, Bytes = false },
        new(2, 17, 9, 4, 40) { Dyadic = true, Pitched = true }, new(1, 28, 28, 14, 64) { Dyadic = true }, new(1, 33, 47, 16, 48) { Dyadic = true },
        new(1, 64, 64, 32, 96) { Dyadic = true, Bytes = false, Bias = true }, new(2, 32, 32, 8, 31), new(2, 32, 32, 8, 31) { Bytes = false, Bias = true },
        new(1, 224, 224, 32, 768), new(1, 224, 224, 16, 768), new(1, 224, 224, 14, 1024), new(8, 224, 224, 32, 768), new(8, 224, 224, 16, 768), new(1, 224, 224, 32, 768) { Bytes = false },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Height}x{Width} patch {Patch}->{Outputs} {(Bytes ? "U8" : "F32")}" + Words(
        (ClassToken, "class"), (Positions, "positions"), (Bias, "bias"), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var pixelShape = new Shape(Batch, Height, Width, 3);
        var pixels = Bytes ? inputs.U("pixels", pixelShape) : inputs.A("pixels", pixelShape);
        int tokens = (Height / Patch * (Width / Patch)) + (ClassToken ? 1 : 0);
        var y = inputs.Y(new(Batch, tokens, Outputs), Pitched ? new Gap(5, 6) : default);
        s.Ops.PatchEmbed(new PatchEmbedArgs(pixels, inputs.Weight(WeightUse.Patch, Outputs, 3 * Patch * Patch, Bias, Patch), y, Patch)
        {
            ByteTable = Bytes ? inputs.F("table", new(3, 256)) : default,
            ClassToken = ClassToken ? inputs.F("class", new(Outputs)) : default,
            Positions = Positions ? inputs.F("positions", new(tokens, Outputs)) : default,
        });
        return y;
    }
}
