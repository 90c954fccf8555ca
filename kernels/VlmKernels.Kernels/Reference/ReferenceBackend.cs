namespace VlmKernels.Kernels;

/// <summary>
/// The plain meaning of every operation, one formula per file: F32 operands, sums in double, results rounded once.
/// It behaves like a device: its memory is reached only by copies, work runs only when a copy-out (or the end of a queue or of
/// memory) waits for it, and memory that is new or was given back holds NaN. What passes here makes no assumption about a device.
/// </summary>
public sealed class ReferenceBackend : IBackend
{
    private readonly List<ReferenceQueue> _queues = [];
    private readonly Lock _lock = new();

    /// <inheritdoc/>
    public string Name => "reference";

    /// <inheritdoc/>
    public DType ActivationType => DType.F32;

    /// <inheritdoc/>
    public Storage Allocate(long bytes) => new ReferenceStorage(this, bytes);

    /// <inheritdoc/>
    /// <exception cref="ContractException">The number of values is not that of the shape.</exception>
    public Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        if (values.Length != shape.Count) throw new ContractException($"Upload: {shape} takes {shape.Count} values, found {values.Length}");
        var tensor = New(shape);
        values.CopyTo(tensor.Floats().Values);
        return tensor;
    }

    /// <inheritdoc/>
    public unsafe Tensor Map(in MapRequest request)
    {
        request.Check();
        var storage = new ReferenceStorage(this, request.Bytes, readOnly: true);
        byte* memory = null;
        request.Memory.AcquirePointer(ref memory);
        try
        {
            Buffer.MemoryCopy(memory + request.Offset, storage.At(0), request.Bytes, request.Bytes);
        }
        finally
        {
            request.Memory.ReleasePointer();
        }
        return new Tensor(storage, 0, request.Shape, request.Type, request.Shape.Columns);
    }

    /// <inheritdoc/>
    /// <exception cref="ContractException">The bias or the kernel does not fit the matrix.</exception>
    public PackedWeight Pack(in PackRequest request)
    {
        var source = request.Matrix;
        request.Check();
        var values = New(new Shape(source.Rows, source.Columns));
        var matrix = values.Floats();
        for (int row = 0; row < source.Rows; row++) source.Read(row, 1, matrix.Row(row));
        return new ReferenceWeight(request, values, request.Bias is { } bias ? Upload(bias, new Shape(bias.Length)) : default);
    }

    /// <inheritdoc/>
    /// <exception cref="ContractException">An extent is not positive.</exception>
    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim)
    {
        KvCache.Check(rows, capacity, heads, headDim);
        var shape = new Shape(rows, capacity, heads * headDim);
        return new ReferenceKvCache(New(shape), New(shape), heads);
    }

    /// <inheritdoc/>
    public IQueue OpenQueue()
    {
        var queue = new ReferenceQueue(this);
        lock (_lock) _queues.Add(queue);
        return queue;
    }

    /// <summary>Runs what is still enqueued. Queues, tensors and weights belong to their owners and are not disposed.</summary>
    public void Dispose() => FinishAll();

    /// <summary>Runs what all queues hold: memory is about to go.</summary>
    internal void FinishAll()
    {
        ReferenceQueue[] queues;
        lock (_lock) queues = [.. _queues];
        foreach (var queue in queues) queue.Finish();
    }

    internal void Close(ReferenceQueue queue)
    {
        lock (_lock) _queues.Remove(queue);
    }

    private Tensor New(Shape shape) => new(Allocate(4 * shape.Count), 0, shape, DType.F32, shape.Columns);
}
