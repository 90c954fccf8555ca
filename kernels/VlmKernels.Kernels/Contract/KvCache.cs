namespace VlmKernels.Kernels;

/// <summary>
/// Keys and values of one attention layer, kept from one decode step to the next in the form a backend likes. Rows are sequences, slots are
/// token positions; a slot holds nothing of meaning until <see cref="IOps.AppendKv"/> has written it.
/// </summary>
/// <param name="rows">Sequences.</param>
/// <param name="capacity">Slots of a row: the most tokens that it can hold.</param>
/// <param name="heads">Number of heads.</param>
/// <param name="headDim">Elements of a head.</param>
public abstract class KvCache(int rows, int capacity, int heads, int headDim) : IDisposable
{
    /// <summary>Sequences.</summary>
    public int Rows => rows;

    /// <summary>Slots of a row.</summary>
    public int Capacity => capacity;

    /// <summary>Number of heads.</summary>
    public int Heads => heads;

    /// <summary>Elements of a head.</summary>
    public int HeadDim => headDim;

    /// <summary>Columns of the matrices that go in: heads · head dim.</summary>
    public int Columns => heads * headDim;

    /// <summary>Size in the backend's memory.</summary>
    public abstract long Bytes { get; }

    /// <summary>Gives the memory back, once enqueued work that uses it is done.</summary>
    public abstract void Dispose();

    /// <summary>Checks the extents of a cache that is asked for; every backend calls it first.</summary>
    /// <exception cref="ContractException">An extent is not positive.</exception>
    public static void Check(int rows, int capacity, int heads, int headDim)
    {
        if (rows > 0 && capacity > 0 && heads > 0 && headDim > 0) return;
        throw new ContractException($"CreateKvCache: {rows} rows of {capacity} slots with {heads} heads of {headDim}; every extent must be positive");
    }
}

/// <summary>
/// Arguments of <see cref="IOps.AppendKv"/>. Row i of k and v goes to row i · (cache rows / b) of the cache, so that a prompt that several rows
/// will continue is computed once.
/// </summary>
/// <param name="Cache">The cache; its rows are a multiple of b.</param>
/// <param name="K">[b, n, heads · head dim] A; column slices are welcome.</param>
/// <param name="V">[b, n, heads · head dim] A.</param>
public readonly record struct AppendKvArgs(KvCache Cache, Tensor K, Tensor V)
{
    /// <summary>[b] I: the slot of each row's first token; the others follow it. None: slot 0.</summary>
    public Tensor Positions { get; init; }
}
