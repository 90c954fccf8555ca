namespace VlmKernels.Kernels;

/// <summary>A device: its memory, its packed weights and its queues. Thread-safe. Only the composition root makes one.</summary>
public interface IBackend : IDisposable
{
    /// <summary>Name for messages: <c>cpu (avx512, 2 threads)</c>.</summary>
    string Name { get; }

    /// <summary>Type of activations, called A in the contract.</summary>
    DType ActivationType { get; }

    /// <summary>Allocates a block whose base is aligned to at least 256 bytes.</summary>
    Storage Allocate(long bytes);

    /// <summary>Makes a tensor F that lives until its storage is disposed: norms, positions, tables.</summary>
    Tensor Upload(ReadOnlySpan<float> values, Shape shape);

    /// <summary>
    /// Makes a read-only tensor of host memory, which must keep its content until the storage is disposed. The CPU reads it in place; others copy.
    /// </summary>
    /// <exception cref="ContractException">The matrix reaches outside its memory.</exception>
    Tensor Map(in MapRequest request);

    /// <summary>Brings a weight into the backend's own form, reading the source once.</summary>
    PackedWeight Pack(in PackRequest request);

    /// <summary>Makes an empty cache of keys and values.</summary>
    KvCache CreateKvCache(int rows, int capacity, int heads, int headDim);

    /// <summary>Opens an ordered stream of work.</summary>
    IQueue OpenQueue();
}

/// <summary>One ordered stream of work of a backend. Not thread-safe; different queues of one backend may be used at once.</summary>
public interface IQueue : IOps, IDisposable
{
    /// <summary>Copies dense host bytes into a tensor's rows; the source is free again on return.</summary>
    void CopyIn(ReadOnlySpan<byte> source, Tensor destination);

    /// <summary>Waits for the work before it and copies a tensor's rows into dense host bytes. Faults of enqueued work surface here.</summary>
    void CopyOut(Tensor source, Span<byte> destination);

    /// <summary>Says that the content of a range is not needed any more. The reference backend fills it with NaN; others do nothing.</summary>
    void Discard(Storage storage, long offset, long bytes);
}
