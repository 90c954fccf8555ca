using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A row of <see cref="IOps.MatMul"/>: x [Batch, M, K] · w [Batch, N, K]ᵀ.</summary>
public sealed record MatMulCase(int Batch, int M, int N, int K) : OpCase("MatMul")
{
    /// <summary>One w serves all batches.</summary>
    public bool Shared { get; init; }

    /// <summary>Plain matrices x [M, K] and w [N, K] without a batch; items are the rows of x.</summary>
    public bool Flat { get; init; }

    /// <summary>Operands and result are columns of wider matrices.</summary>
    public bool Pitched { get; init; }

    /// <summary>Multiplies the products; a power of two keeps a dyadic row exact.</summary>
    public float Scale { get; init; } = 0.25f;

    /// <summary>The rows.</summary>
    public static IEnumerable<MatMulCase> All =>
    [
        new(1, 1, 1, 1) { Flat = true, Dyadic = true }, new(1, 1, 1, 512) { Flat = true, Dyadic = true }, new(1, 3, 17, 33) { Flat = true, Dyadic = true }, new(2, 3, 5, 7) { Dyadic = true },
        new(3, 17, 31, 64) { Dyadic = true }, new(3, 17, 31, 64) { Dyadic = true, Shared = true }, new(5, 1, 9, 65) { Dyadic = true, Shared = true },
        new(2, 13, 33, 40) { Dyadic = true, Pitched = true }, new(1, 13, 33, 40) { Flat = true, Dyadic = true, Pitched = true, Scale = 1 }, new(2, 6, 70, 15) { Dyadic = true, Scale = -2 },
        new(1, 0, 5, 8) { Flat = true }, new(1, 5, 77, 640) { Flat = true }, new(1, 1, 1000, 512) { Flat = true }, new(1, 50, 101, 512) { Flat = true }, new(4, 12, 32, 512), new(4, 12, 32, 512) { Shared = true },
        new(1, 8, 1000, 768) { Flat = true }, new(1, 256, 1000, 512) { Flat = true }, new(1, 1280, 480, 512) { Flat = true }, new(64, 32, 32, 512),
    ];

    /// <inheritdoc/>
    public override string Sizes => $"{Batch}x{M}x{K} by {N} scale {Scale}" + Words((Flat, "flat"), (Shared, "shared"), (Pitched, "pitched"));

    /// <inheritdoc/>
    public override int Items => Flat ? M : Batch;

    /// <inheritdoc/>
    public override OpCase WithItems(int items) => Flat ? this with { M = items } : this with { Batch = items };

    /// <inheritdoc/>
    public override Tensor Enqueue(Session s, OpInputs inputs)
    {
        var x = inputs.A("x", Flat ? new(M, K) : new(Batch, M, K), Pitched ? new Gap(3, 8) : default);
        var w = Flat || Shared ? inputs.F("w", new(N, K)) : inputs.A("w", new(Batch, N, K), Pitched ? new Gap(1, 4) : default);
        var y = inputs.Y(Flat ? new(M, N) : new(Batch, M, N), Pitched ? new Gap(5, 6) : default);
        s.Ops.MatMul(new MatMulArgs(x, w, y, Dyadic ? Scale : Scale / MathF.Sqrt(K)));
        return y;
    }
}
