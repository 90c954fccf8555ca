using System.Globalization;

namespace VlmKernels.Kernels.Cpu;

/// <summary>The CPU: SIMD kernels in one of three tiers, on a pool of threads of its own. Work runs when it is enqueued.</summary>
public sealed class CpuBackend : IBackend
{
    private readonly Workers _workers;

    /// <summary>Starts the threads.</summary>
    /// <exception cref="ArgumentException">The tier is not available here, or the number of threads is not 1 … 1024.</exception>
    public CpuBackend(CpuOptions? options = null)
    {
        options ??= new CpuOptions();
        if (options.Tier > Tiers.Best) throw new ArgumentException($"isa {options.Tier.Name()} is not available: the widest here is {Tiers.Best.Name()}", nameof(options));
        if (options.Threads is < 1 or > 1024) throw new ArgumentException($"threads must be 1 to 1024, found {options.Threads}", nameof(options));
        Tier = options.Tier;
        _workers = new Workers(options.Threads);
    }

    /// <inheritdoc/>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"cpu ({Tier.Name()}, {Threads} {(Threads == 1 ? "thread" : "threads")})");

    /// <inheritdoc/>
    public DType ActivationType => DType.F32;

    /// <summary>The instruction-set tier in use.</summary>
    public Tier Tier { get; }

    /// <summary>Threads that compute, the caller included.</summary>
    public int Threads => _workers.Count;

    internal Workers Workers => _workers;

    /// <inheritdoc/>
    public Storage Allocate(long bytes) => new CpuStorage(bytes);

    /// <inheritdoc/>
    public unsafe Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        if (values.Length != shape.Count) throw new ContractException($"Upload: {shape} takes {shape.Count} values, found {values.Length}");
        var storage = new CpuStorage(sizeof(float) * shape.Count);
        values.CopyTo(new Span<float>(storage.Base, values.Length));
        return new Tensor(storage, 0, shape, DType.F32, shape.Columns);
    }

    /// <inheritdoc/>
    public Tensor Map(in MapRequest request)
    {
        request.Check();
        return new Tensor(new CpuStorage(request), 0, request.Shape, request.Type, request.Shape.Columns);
    }

    /// <inheritdoc/>
    public PackedWeight Pack(in PackRequest request)
    {
        request.Check();
        var bias = request.Bias is null ? default : Upload(request.Bias, new Shape(request.Bias.Length));
        return request.Use == WeightUse.Table ? new TableWeight(request) : new PanelWeight(request, PanelWidth(Tier), (CpuStorage?)bias.Storage, bias);
    }

    /// <inheritdoc/>
    /// <exception cref="ContractException">An extent is not positive.</exception>
    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim)
    {
        KvCache.Check(rows, capacity, heads, headDim);
        return new CpuKvCache(rows, capacity, heads, headDim, PanelWidth(Tier));
    }

    /// <inheritdoc/>
    public IQueue OpenQueue() => new CpuQueue(this);

    /// <summary>Stops the threads. Queues must not be used any more.</summary>
    public void Dispose() => _workers.Dispose();

    /// <summary>Columns of a weight panel: two vectors.</summary>
    internal static int PanelWidth(Tier tier) => tier switch { Tier.Avx512 => 32, Tier.Avx2 => 16, _ => 8 };
}
