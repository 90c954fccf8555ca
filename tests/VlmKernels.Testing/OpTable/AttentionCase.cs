using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.Attention"/>: q [KeyBatch · Sharing, Queries, Heads · Dim], k and v [KeyBatch, Keys, Heads · Dim].</summary>
public sealed record AttentionCase(int KeyBatch, int Queries, int Keys, int Heads, int Dim) : OpCase("Attention")
{
    /// <summary>Rows of q that share the keys of one row of k.</summary>
    public int Sharing { get; init; } = 1;

    /// <summary>Query i sees keys 0…i.</summary>
    public bool Causal { get; init; }

    /// <summary>Every item has its own number of keys; the first has none.</summary>
    public bool Lengths { get; init; }

    /// <summary>About half of the keys are hidden; in the first item all of them are.</summary>
    public bool Valid { get; init; }

    /// <summary>q, k, v are columns of one matrix, y of a wider one.</summary>
    public bool Fused { get; init; }

    /// <summary>Scores spread so far that few keys take all the weight.</summary>
    public bool Sharp { get; init; }

    /// <summary>Multiplies the scores; 0 = 1/√d.</summary>
    public float Scale { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<AttentionCase> All =>
    [
        new(1, 1, 1, 1, 1), new(1, 1, 1, 1, 16), new(2, 3, 5, 2, 7), new(1, 1, 17, 3, 33),
        .. from dim in (int[])[16, 24, 32, 40, 64, 72, 80, 88, 96, 104, 128] select new AttentionCase(2, 17, 19, 2, dim) { Fused = false },
        .. from count in (int[])[1, 3, 8, 15, 16, 17, 31, 33, 50, 64, 65, 77, 128, 129] select new AttentionCase(1, count, count, 2, 64) { Fused = true },
        .. from dim in (int[])[16, 40, 64, 80] select new AttentionCase(2, 13, 13, 3, dim) { Fused = true, Sharp = true },
        .. from mask in Enumerable.Range(1, 7)
           from keys in (int[])[9, 77]
           select new AttentionCase(3, 9, keys, 2, 24) { Causal = (mask & 1) != 0, Lengths = (mask & 2) != 0, Valid = (mask & 4) != 0 },
        .. from mask in Enumerable.Range(0, 8)
           select new AttentionCase(2, 5, 21, 2, 20) { Sharing = 3, Causal = (mask & 1) != 0, Lengths = (mask & 2) != 0, Valid = (mask & 4) != 0 },
        new(2, 33, 33, 2, 64) { Causal = true, Fused = true }, new(1, 20, 7, 2, 16) { Causal = true }, new(1, 7, 20, 2, 16) { Causal = true }, new(2, 1, 50, 4, 64),
        new(2, 6, 11, 2, 32) { Scale = 1 }, new(2, 6, 11, 2, 32) { Scale = -0.5f }, new(1, 1, 50, 32, 64), new(1, 256, 8, 2, 96), new(1, 4, 257, 2, 104), new(1, 3, 577, 2, 64), new(1, 3, 600, 1, 64) { Sharp = true },
        new(1, 50, 50, 12, 64) { Fused = true }, new(1, 77, 77, 8, 64) { Causal = true, Fused = true }, new(1, 197, 197, 2, 64) { Fused = true }, new(1, 257, 257, 1, 88),
        .. from batch in (int[])[1, 8] select new AttentionCase(batch, 197, 197, 12, 64) { Fused = true },
        .. from batch in (int[])[1, 8] select new AttentionCase(batch, 257, 257, 16, 64) { Fused = true },
        new(8, 50, 50, 12, 64) { Fused = true }, new(8, 77, 77, 8, 64) { Causal = true, Fused = true }, new(64, 77, 77, 12, 64) { Causal = true, Fused = true },
        new(1, 577, 577, 16, 64) { Fused = true }, new(1, 257, 257, 16, 104) { Fused = true }, new(1, 257, 257, 16, 80) { Fused = true },
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{KeyBatch}x{Queries} on {Keys} keys, {Heads} heads of {Dim}" + Words(
        (Sharing > 1, $"sharing {Sharing}"), (Causal, "causal"), (Lengths, "lengths"), (Valid, "valid"), (Fused, "fused"), (Sharp, "sharp"), (Scale != 0, $"scale {Scale}"));

    /// <inheritdoc/>
    public override int Items => KeyBatch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { KeyBatch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        int width = Heads * Dim, keys = Keys;
        var (q, k, v) = Operands(inputs, width);
        var y = inputs.Y(q.Shape, Fused ? new Gap(5, 6) : default);
        s.Ops.Attention(new AttentionArgs(q, k, v, y, Heads)
        {
            Scale = Scale,
            Mask = new Mask
            {
                Causal = Causal,
                KeyLength = Lengths ? inputs.I("lengths", new(KeyBatch), keys + 1, (at, length) => at == 0 ? 0 : length) : default,
                KeyValid = Valid ? inputs.U("valid", new(KeyBatch, keys), (at, value) => (byte)(at < keys ? 0 : value & 1)) : default,
            },
        });
        return y;
    }

    private (Tensor Q, Tensor K, Tensor V) Operands(OpInputs inputs, int width)
    {
        float spread = Sharp ? 8 : 1;
        if (Fused)
        {
            var qkv = inputs.A("qkv", new(KeyBatch, Queries, 3 * width), default, (at, value) => at % (3 * width) < width ? value * spread : value);
            return (qkv.SliceColumns(0, width), qkv.SliceColumns(width, width), qkv.SliceColumns(2 * width, width));
        }
        var q = inputs.A("q", new(KeyBatch * Sharing, Queries, width), default, (_, value) => value * spread);
        return (q, inputs.A("k", new(KeyBatch, Keys, width)), inputs.A("v", new(KeyBatch, Keys, width)));
    }
}
