using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>What the values of x are like.</summary>
public enum TopKValues
{
    /// <summary>No order; dyadic rows have few different values, so many equal ones.</summary>
    Random,
    /// <summary>Each larger than the one before: every value enters the candidates.</summary>
    Rising,
    /// <summary>NaN, infinities and zeros of both signs among the values.</summary>
    Special,
    /// <summary>NaN only.</summary>
    NaN,
}

/// <summary>A row of <see cref="IOps.TopK"/>. The result holds values on the left and the bits of ids on the right.</summary>
public sealed record TopKCase(int Rows, int N, int K) : OpCase("TopK")
{
    /// <summary>What x holds.</summary>
    public TopKValues Values { get; init; }

    /// <summary>x and the result are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>The rows.</summary>
    public static IEnumerable<TopKCase> All =>
    [
        .. from values in Enum.GetValues<TopKValues>()
           from size in ((int Rows, int N, int K)[])[(1, 1, 1), (3, 5, 5), (2, 33, 4), (3, 64, 7), (2, 257, 257), (5, 300, 1), (1, 70_001, 20)]
           from dyadic in (bool[])[false, true]
           where !dyadic || values == TopKValues.Random
           select new TopKCase(size.Rows, size.N, size.K) { Values = values, Pitched = size.N % 3 == 0, Dyadic = dyadic },
        new(0, 5, 2), new(2, 131_072, 1024), new(4, 30_524, 8), new(1, 30_524, 1), new(1, 30_524, 100), new(1, 1_000_000, 10), new(1, 1_000_000, 100), new(16, 400_000, 10),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Rows}x{N} k {K}" + Words((Values != TopKValues.Random, Values.ToString()), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override float Tolerance => 0;

    /// <inheritdoc/>
    public override int Items => Rows;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => this with { Rows = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var gap = Pitched ? new Gap(5, 6) : default;
        var x = inputs.A("x", new(Rows, N), gap, Values switch
        {
            TopKValues.Random => null,
            TopKValues.Rising => (at, v) => at % N,
            TopKValues.Special => (at, v) => (at % 7) switch { 0 => 0f, 1 => -0f, 2 => float.NegativeInfinity, 3 => v < -0.9 ? float.NaN : v, 4 => v > 0.9 ? float.PositiveInfinity : v, _ => v },
            _ => (at, v) => float.NaN,
        });
        var y = inputs.Y(new(Rows, 2 * K), gap);
        s.Ops.TopK(new TopKArgs(x, y.SliceColumns(0, K), y.SliceColumns(K, K) with { Type = DType.I32 }));
        return y;
    }
}
