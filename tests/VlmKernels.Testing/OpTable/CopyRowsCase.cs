using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>What a copy does.</summary>
public enum CopyPattern
{
    /// <summary>Some tokens of every picture to another place in y.</summary>
    Tokens,
    /// <summary>The same rows to every picture.</summary>
    Broadcast,
    /// <summary>Rows by index.</summary>
    Gather,
    /// <summary>Rows by index into a part of every picture.</summary>
    GatherGroups,
}

/// <summary>A row of <see cref="IOps.CopyRows"/>: Count rows of each of Batch groups.</summary>
public sealed record CopyRowsCase(CopyPattern Pattern, int Batch, int Count, int Columns) : OpCase("CopyRows")
{
    private const int XRows = 23;

    /// <summary>x and y are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<CopyRowsCase> All =>
    [
        .. from pattern in Enum.GetValues<CopyPattern>()
           from shape in ((int Batch, int Count, int Columns)[])[(1, 1, 1), (3, 1, 17), (2, 5, 33), (5, 4, 64), (3, 0, 8)]
           from pitched in (bool[])[false, true]
           select new CopyRowsCase(pattern, shape.Batch, shape.Count, shape.Columns) { Pitched = pitched },
        new(CopyPattern.Tokens, 8, 196, 768), new(CopyPattern.Gather, 64, 1, 512),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Pattern} {Batch}x{Count}x{Columns}" + Words((Pitched, "pitched"));

    /// <inheritdoc/>
    public override float Tolerance => 0;

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var gap = Pitched ? new Gap(5, 6) : default;
        bool whole = Pattern == CopyPattern.Gather;
        var x = Pattern == CopyPattern.Tokens ? inputs.A("x", new(Batch, Count + 3, Columns), gap) : inputs.F("x", new(Math.Max(XRows, Count + 1), Columns));
        var y = inputs.Y(whole ? new(Batch * Count, Columns) : new(Batch, Count + 2, Columns), gap);
        var index = Pattern is CopyPattern.Gather or CopyPattern.GatherGroups ? inputs.I("index", new(Batch * Count), XRows) : default;
        s.Ops.CopyRows(Pattern switch
        {
            CopyPattern.Tokens => CopyRowsArgs.Tokens(x, 2, Count, y, 1),
            CopyPattern.Broadcast => CopyRowsArgs.Tokens(x, 1, Count, y, 2),
            CopyPattern.Gather => CopyRowsArgs.Gather(x, index, y),
            _ => new CopyRowsArgs(x, y, Batch, Count) { Index = index, YStart = 1, YStride = Count + 2 },
        });
        return y;
    }
}
