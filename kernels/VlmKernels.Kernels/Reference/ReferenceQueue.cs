namespace VlmKernels.Kernels;

/// <summary>
/// Keeps the work of a queue until somebody waits for it, so that a model that relies on eager execution fails here. Its owner is one thread;
/// the lock is there for another thread that gives memory back meanwhile and must see the work on it done.
/// </summary>
internal sealed class ReferenceQueue(ReferenceBackend backend) : IQueue
{
    /// <summary>Bounds the memory of a caller that never reads a result.</summary>
    private const int MostPending = 1024;

    private readonly List<Action> _pending = [];
    private readonly Lock _lock = new();
    private ContractException? _fault;

    private delegate void Operation<T>(in T arguments);

    public void Linear(in LinearArgs a) => Enqueue(a, LinearReference.Run);

    public void MatMul(in MatMulArgs a) => Enqueue(a, MatMulReference.Run);

    public void InnerProduct(in InnerProductArgs a) => Enqueue(a, InnerProductReference.Run);

    public void Conv2d(in ConvArgs a) => Enqueue(a, Conv2dReference.Run);

    public void PatchEmbed(in PatchEmbedArgs a) => Enqueue(a, PatchEmbedReference.Run);

    public void Attention(in AttentionArgs a) => Enqueue(a, AttentionReference.Run);

    public void AppendKv(in AppendKvArgs a) => Enqueue(a, AppendKvReference.Run);

    public void Norm(in NormArgs a) => Enqueue(a, NormReference.Run);

    public void Combine(in CombineArgs a) => Enqueue(a, CombineReference.Run);

    public void Reduce(in ReduceArgs a) => Enqueue(a, ReduceReference.Run);

    public void Softmax(in SoftmaxArgs a) => Enqueue(a, SoftmaxReference.Run);

    public void TopK(in TopKArgs a) => Enqueue(a, TopKReference.Run);

    public void Pool2d(in PoolArgs a) => Enqueue(a, Pool2dReference.Run);

    public void Embed(in EmbedArgs a) => Enqueue(a, EmbedReference.Run);

    public void CopyRows(in CopyRowsArgs a) => Enqueue(a, CopyRowsReference.Run);

    public void PixelsToFloat(in PixelsArgs a) => Enqueue(a, PixelsToFloatReference.Run);

    public void CopyIn(ReadOnlySpan<byte> source, Tensor destination)
    {
        byte[] bytes = source.ToArray();
        Enqueue(() => Copies.In(bytes, destination));
    }

    public void CopyOut(Tensor source, Span<byte> destination)
    {
        lock (_lock)
        {
            Finish();
            if (Interlocked.Exchange(ref _fault, null) is { } fault) throw new ContractException(fault.Message, fault);
            Copies.Out(source, destination);
        }
    }

    public void Discard(Storage storage, long offset, long bytes) => Enqueue(() => ((ReferenceStorage)storage).Poison(offset, bytes));

    /// <summary>
    /// Runs all that is pending. A fault waits for the next copy-out; the work between it and that copy-out would compute with what the
    /// faulty operation never wrote, and is dropped.
    /// </summary>
    public void Finish()
    {
        lock (_lock)
        {
            for (int i = 0; i < _pending.Count && _fault is null; i++)
            {
                try
                {
                    _pending[i]();
                }
                catch (Exception e)
                {
                    _fault = e as ContractException ?? new ContractException($"fault in enqueued work: {e.Message}", e);
                }
            }
            _pending.Clear();
        }
    }

    public void Dispose()
    {
        Finish();
        backend.Close(this);
    }

    private void Enqueue<T>(in T arguments, Operation<T> run)
    {
        T kept = arguments;
        Enqueue(() => run(kept));
    }

    private void Enqueue(Action work)
    {
        lock (_lock)
        {
            _pending.Add(work);
            if (_pending.Count >= MostPending) Finish();
        }
    }
}
