namespace VlmKernels.Kernels;

/// <summary>
/// A backend without memory and arithmetic: it runs the same model text and counts. Gives the exact workspace, FLOPs and bytes of any
/// published size without its weights, and finds every fault of a checkpoint before a byte of it is packed.
/// </summary>
public sealed class PlanBackend : IBackend
{
    private long _allocated;
    private long _packed;
    private long _cached;

    /// <inheritdoc/>
    public string Name => "plan";

    /// <inheritdoc/>
    public DType ActivationType => DType.F32;

    /// <summary>What all operations enqueued so far would cost.</summary>
    public Cost Total { get; private set; }

    /// <summary>Bytes of uploaded tensors and packed weights, one F32 per value.</summary>
    public long WeightBytes => _packed;

    /// <summary>Bytes of all blocks allocated so far.</summary>
    public long AllocatedBytes => _allocated;

    /// <summary>Bytes of all caches of keys and values, one F32 per value.</summary>
    public long CacheBytes => _cached;

    /// <inheritdoc/>
    public Storage Allocate(long bytes)
    {
        _allocated += bytes;
        return new NoStorage(bytes);
    }

    /// <inheritdoc/>
    public Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        _packed += 4 * shape.Count;
        return new Tensor(new NoStorage(4 * shape.Count), 0, shape, DType.F32, shape.Columns);
    }

    /// <inheritdoc/>
    public Tensor Map(in MapRequest request)
    {
        request.Check();
        return new Tensor(new NoStorage(request.Bytes, readOnly: true), 0, request.Shape, request.Type, request.Shape.Columns);
    }

    /// <inheritdoc/>
    public PackedWeight Pack(in PackRequest request)
    {
        request.Check();
        int outputs = request.Matrix.Rows;
        var bias = request.Bias is null ? default : new Tensor(new NoStorage(4L * outputs), 0, new Shape(outputs), DType.F32, outputs);
        var weight = new PlannedWeight(request, bias);
        _packed += weight.Bytes;
        return weight;
    }

    /// <inheritdoc/>
    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim)
    {
        KvCache.Check(rows, capacity, heads, headDim);
        var cache = new PlannedCache(rows, capacity, heads, headDim);
        _cached += cache.Bytes;
        return cache;
    }

    /// <inheritdoc/>
    public IQueue OpenQueue() => new Queue(this);

    /// <inheritdoc/>
    public void Dispose() { }

    private sealed class NoStorage(long bytes, bool readOnly = false) : Storage
    {
        public override long Bytes => bytes;

        public override bool IsReadOnly => readOnly;

        public override void Dispose() { }
    }

    private sealed class PlannedWeight(in PackRequest request, Tensor bias) : PackedWeight(request.Key, request.Use, request.Matrix.Rows, request.Matrix.Columns, bias)
    {
        public override long Bytes => 4 * (((long)Outputs * Inputs) + (Bias.IsNone ? 0 : Outputs));

        public override void Dispose() { }
    }

    private sealed class PlannedCache(int rows, int capacity, int heads, int headDim) : KvCache(rows, capacity, heads, headDim)
    {
        public override long Bytes => 8L * Rows * Capacity * Columns;

        public override void Dispose() { }
    }

    private sealed class Queue(PlanBackend plan) : IQueue
    {
        public void Linear(in LinearArgs a) => plan.Total += Cost.Of(a);

        public void MatMul(in MatMulArgs a) => plan.Total += Cost.Of(a);

        public void InnerProduct(in InnerProductArgs a) => plan.Total += Cost.Of(a);

        public void Conv2d(in ConvArgs a) => plan.Total += Cost.Of(a);

        public void PatchEmbed(in PatchEmbedArgs a) => plan.Total += Cost.Of(a);

        public void Attention(in AttentionArgs a) => plan.Total += Cost.Of(a);

        public void AppendKv(in AppendKvArgs a) => plan.Total += Cost.Of(a);

        public void Norm(in NormArgs a) => plan.Total += Cost.Of(a);

        public void Combine(in CombineArgs a) => plan.Total += Cost.Of(a);

        public void Reduce(in ReduceArgs a) => plan.Total += Cost.Of(a);

        public void Softmax(in SoftmaxArgs a) => plan.Total += Cost.Of(a);

        public void TopK(in TopKArgs a) => plan.Total += Cost.Of(a);

        public void Pool2d(in PoolArgs a) => plan.Total += Cost.Of(a);

        public void Embed(in EmbedArgs a) => plan.Total += Cost.Of(a);

        public void CopyRows(in CopyRowsArgs a) => plan.Total += Cost.Of(a);

        public void PixelsToFloat(in PixelsArgs a) => plan.Total += Cost.Of(a);

        public void CopyIn(ReadOnlySpan<byte> source, Tensor destination) { }

        /// <summary>There are no results; the host sees zeros.</summary>
        public void CopyOut(Tensor source, Span<byte> destination) => destination.Clear();

        public void Discard(Storage storage, long offset, long bytes) { }

        public void Dispose() { }
    }
}
