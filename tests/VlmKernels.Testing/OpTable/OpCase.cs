using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>
/// One row of the op table: an operation with its sizes. The same row is compared with the reference on every backend, run alone and inside
/// a larger batch, and timed by <c>perf</c>.
/// </summary>
/// <param name="Op">Name of the contract method.</param>
public abstract record OpCase(string Op)
{
    private const long MostTestedFlops = 200_000_000;
    private const long MostTestedBytes = 16_000_000;

    /// <summary>Sizes and options, readable and unique within the op.</summary>
    public abstract string Sizes { get; }

    /// <summary>Op, sizes and options; unique in the table.</summary>
    public string Name => $"{Op} {Sizes}{(Dyadic ? " dyadic" : "")}";

    /// <summary>Operands are small multiples of a power of two, so that every partial sum is exact in any order.</summary>
    public bool Dyadic { get; init; }

    /// <summary>Allowed |a − reference| as a part of max(1, |reference|); 0 asks for equal values.</summary>
    public virtual float Tolerance => Dyadic ? 0 : 1e-5f;

    /// <summary>Independent pieces of work whose results must not depend on each other: pictures, rows, groups. Rows of y divide evenly.</summary>
    public abstract int Items { get; }

    /// <summary>The same case with another number of items.</summary>
    public abstract OpCase WithItems(int items);

    /// <summary>Enqueues the operation and gives its result. Calling it again with the same inputs repeats it on the same memory.</summary>
    public abstract Tensor Enqueue(Session s, OpInputs inputs);

    /// <summary>Arithmetic and memory traffic.</summary>
    public Cost Cost
    {
        get
        {
            using var plan = new PlanBackend();
            using var session = new Session(plan);
            using var inputs = new OpInputs(this, session, plan);
            // The first call may also fill a cache.
            Enqueue(session, inputs);
            var first = plan.Total;
            Enqueue(session, inputs);
            return new Cost(plan.Total.Flops - first.Flops, plan.Total.Bytes - first.Bytes);
        }
    }

    /// <summary>Small enough for a simulator that runs one thread after another.</summary>
    public bool Tiny => Cost is { Flops: <= 200_000, Bytes: <= 400_000 };

    /// <summary>Timed, not compared: the reference would take too long.</summary>
    public virtual bool PerfOnly => Cost is not { Flops: <= MostTestedFlops, Bytes: <= MostTestedBytes };

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    /// <summary>The words whose condition holds, each with a space before it.</summary>
    protected static string Words(params ReadOnlySpan<(bool Holds, string Word)> options)
    {
        string words = "";
        foreach (var (holds, word) in options) words += holds ? " " + word : "";
        return words;
    }
}

/// <summary>All rows.</summary>
public static class Table
{
    /// <summary>Every row of every op.</summary>
    public static IReadOnlyList<OpCase> All { get; } =
    [
        .. LinearCase.All, .. MatMulCase.All, .. InnerProductCase.All, .. Conv2dCase.All, .. PatchEmbedCase.All, .. AttentionCase.All, .. CachedAttentionCase.All, .. AppendKvCase.All,
        .. NormCase.All, .. CombineCase.All, .. ReduceCase.All, .. SoftmaxCase.All, .. TopKCase.All, .. Pool2dCase.All, .. EmbedCase.All, .. CopyRowsCase.All, .. PixelsToFloatCase.All,
    ];

    /// <summary>Rows that the reference can be asked for in a test.</summary>
    public static IReadOnlyList<OpCase> Tested { get; } = [.. All.Where(c => !c.PerfOnly)];

    /// <summary>The row of a name.</summary>
    public static OpCase Find(string name) => All.First(c => c.Name == name);
}
