using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>
/// A row of <see cref="IOps.AppendKv"/>: a full cache [Batch, Capacity, Heads · Dim] gets new tokens over some slots of each row. What it holds
/// then shows in an attention over all of it.
/// </summary>
public sealed record AppendKvCase(int Batch, int Tokens, int Capacity, int Heads, int Dim) : OpCase("AppendKv")
{
    /// <summary>Every row has a position of its own; otherwise all start at slot 0.</summary>
    public bool Positions { get; init; }

    /// <summary>k and v are columns of one matrix.</summary>
    public bool Fused { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<AppendKvCase> All =>
    [
        .. from tokens in (int[])[1, 2, 7, 16, 33, 65, 80]
           from positions in (bool[])[false, true]
           from fused in (bool[])[false, true]
           select new AppendKvCase(3, tokens, 80, 2, 20) { Positions = positions, Fused = fused },
        new(1, 1, 1, 1, 1), new(2, 1, 30, 12, 64) { Positions = true, Fused = true }, new(1, 577, 577, 12, 64) { Fused = true },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{Tokens} into {Capacity} slots, {Heads} heads of {Dim}" + Words((Positions, "positions"), (Fused, "fused"));

    /// <inheritdoc/>
    public override int Items => Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        int width = Heads * Dim;
        var cache = inputs.Cache(Batch, Capacity, Heads, Dim, c =>
        {
            var before = inputs.A("before", new(Batch, Capacity, width));
            s.Ops.AppendKv(new AppendKvArgs(c, before, before));
        });
        var kv = inputs.A("kv", new(Batch, Tokens, Fused ? 2 * width : width));
        var positions = Positions ? inputs.I("positions", new(Batch), Capacity - Tokens + 1) : default;
        s.Ops.AppendKv(new AppendKvArgs(cache, kv.SliceColumns(0, width), kv.SliceColumns(Fused ? width : 0, width)) { Positions = positions });
        var q = inputs.A("q", new(Batch, 1, width));
        var y = inputs.Y(q.Shape);
        s.Ops.Attention(new AttentionArgs(q, cache, y, Heads));
        return y;
    }
}
