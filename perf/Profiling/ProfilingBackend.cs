using VlmKernels.Kernels;

namespace VlmKernels.Perf;

/// <summary>Another backend whose queues time every operation.</summary>
/// <param name="inner">Does the work.</param>
/// <param name="profile">Receives the times.</param>
internal sealed class ProfilingBackend(IBackend inner, Profile profile) : IBackend
{
    /// <inheritdoc/>
    public string Name => inner.Name;

    /// <inheritdoc/>
    public DType ActivationType => inner.ActivationType;

    /// <inheritdoc/>
    public Storage Allocate(long bytes) => inner.Allocate(bytes);

    /// <inheritdoc/>
    public Tensor Upload(ReadOnlySpan<float> values, Shape shape) => inner.Upload(values, shape);

    /// <inheritdoc/>
    public Tensor Map(in MapRequest request) => inner.Map(request);

    /// <inheritdoc/>
    public PackedWeight Pack(in PackRequest request) => inner.Pack(request);

    /// <inheritdoc/>
    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim) => inner.CreateKvCache(rows, capacity, heads, headDim);

    /// <inheritdoc/>
    public IQueue OpenQueue() => new ProfilingQueue(inner.OpenQueue(), profile);

    /// <summary>The other backend belongs to the caller.</summary>
    public void Dispose() { }
}
