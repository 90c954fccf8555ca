namespace VlmKernels.Kernels.Cpu;

/// <summary>A queue of the CPU backend: every operation runs at once, on the backend's threads. Owns the scratch memory of its operations.</summary>
internal sealed unsafe class CpuQueue(CpuBackend backend) : IQueue
{
    private CpuStorage? _shared, _panels, _sums, _perWorker;

    public Tier Tier => backend.Tier;

    public Workers Workers => backend.Workers;

    public int PanelWidth { get; } = CpuBackend.PanelWidth(backend.Tier);

    /// <summary>Floats from one worker's scratch to the next.</summary>
    public long PerWorkerStride { get; private set; }

    public void Linear(in LinearArgs a) => LinearOp.Run(this, a);

    public void MatMul(in MatMulArgs a) => MatMulOp.Run(this, a);

    public void InnerProduct(in InnerProductArgs a) => InnerProductOp.Run(this, a);

    public void Conv2d(in ConvArgs a) => ConvOp.Run(this, a);

    public void PatchEmbed(in PatchEmbedArgs a) => PatchEmbedOp.Run(this, a);

    public void Attention(in AttentionArgs a) => AttentionOp.Run(this, a);

    public void AppendKv(in AppendKvArgs a) => AppendKvOp.Run(this, a);

    public void Norm(in NormArgs a) => NormOp.Run(this, a);

    public void Combine(in CombineArgs a) => CombineOp.Run(this, a);

    public void Reduce(in ReduceArgs a) => ReduceOp.Run(this, a);

    public void Softmax(in SoftmaxArgs a) => SoftmaxOp.Run(this, a);

    public void TopK(in TopKArgs a) => TopKOp.Run(this, a);

    public void Pool2d(in PoolArgs a) => Pool2dOp.Run(this, a);

    public void Embed(in EmbedArgs a) => EmbedOp.Run(this, a);

    public void CopyRows(in CopyRowsArgs a) => CopyRowsOp.Run(this, a);

    public void PixelsToFloat(in PixelsArgs a) => PixelsToFloatOp.Run(this, a);

    public void CopyIn(ReadOnlySpan<byte> source, Tensor destination)
    {
        int width = destination.Columns * destination.Type.Size();
        if (destination.IsDense) source.CopyTo(new Span<byte>(CpuStorage.Address(destination), source.Length));
        else for (int r = 0; r < destination.Rows; r++) source.Slice(r * width, width).CopyTo(Row(destination, r, width));
    }

    public void CopyOut(Tensor source, Span<byte> destination)
    {
        int width = source.Columns * source.Type.Size();
        if (source.IsDense) new ReadOnlySpan<byte>(CpuStorage.Address(source), destination.Length).CopyTo(destination);
        else for (int r = 0; r < source.Rows; r++) Row(source, r, width).CopyTo(destination.Slice(r * width, width));
    }

    public void Discard(Storage storage, long offset, long bytes) { }

    /// <summary>A packed weight as this tier reads it.</summary>
    /// <exception cref="ContractException">It was packed by another backend or for another tier.</exception>
    public PanelWeight Own(PackedWeight weight)
        => weight is PanelWeight own && own.Panel == PanelWidth ? own : throw new ContractException($"{weight.Key} was packed by another backend than {backend.Name}");

    /// <summary>A cache as this tier reads it.</summary>
    /// <exception cref="ContractException">It was made by another backend or for another tier.</exception>
    public CpuKvCache Own(KvCache cache)
        => cache is CpuKvCache own && own.Panel == PanelWidth ? own : throw new ContractException($"a cache was made by another backend than {backend.Name}");

    /// <summary>Scratch that all workers share, valid until the next call; for packed rows.</summary>
    public float* Shared(long floats) => Grow(ref _shared, floats);

    /// <summary>Scratch for an activation in panels, valid until the next call.</summary>
    public float* Panels(long floats) => Grow(ref _panels, floats);

    /// <summary>Scratch for unfinished sums, valid until the next call.</summary>
    public float* Sums(long floats) => Grow(ref _sums, floats);

    /// <summary>Scratch of <paramref name="floats"/> for each worker, <see cref="PerWorkerStride"/> apart, valid until the next call.</summary>
    public float* PerWorker(long floats)
    {
        PerWorkerStride = (floats + 63) / 64 * 64;
        return Grow(ref _perWorker, PerWorkerStride * Workers.Count);
    }

    public void Dispose()
    {
        _shared?.Dispose();
        _panels?.Dispose();
        _sums?.Dispose();
        _perWorker?.Dispose();
    }

    private static Span<byte> Row(Tensor t, int row, int width) => new(CpuStorage.Address(t) + ((long)row * t.Pitch * t.Type.Size()), width);

    private static float* Grow(ref CpuStorage? storage, long floats)
    {
        // A whole huge page at least: what all panels are multiplied with should need one entry of the page table.
        long bytes = Math.Max(HugePages.Bytes, floats * sizeof(float));
        if (storage is null || storage.Bytes < bytes)
        {
            storage?.Dispose();
            storage = new CpuStorage(bytes);
        }
        return (float*)storage.Base;
    }
}
