using System.Runtime.InteropServices;

namespace VlmKernels.Kernels;

/// <summary>Receives intermediate results by name: goldens, profiles. The tensor is valid during the call only.</summary>
public interface ITap
{
    /// <summary>Called after the work that produced <paramref name="value"/> was enqueued.</summary>
    void Observe(Session session, string stage, int index, Tensor value);
}

/// <summary>
/// One ordered stream of work over one backend: operations, workspace, copies. Not thread-safe. Models are immutable and shared by sessions.
/// A method takes its result first, then opens a <see cref="Mark"/>, computes and returns: the result lies below the mark and outlives it.
/// </summary>
public sealed class Session : IDisposable
{
    private readonly IBackend _backend;
    private readonly IQueue _queue;
    private readonly Workspace _workspace;
    private readonly DType _activation;
    private readonly ITap? _tap;

    /// <summary>Opens a session.</summary>
    /// <param name="backend">Must outlive the session.</param>
    /// <param name="tap">Receives intermediate results; null for normal work.</param>
    public Session(IBackend backend, ITap? tap = null)
    {
        _backend = backend;
        _queue = backend.OpenQueue();
        _workspace = new Workspace(backend);
        _activation = backend.ActivationType;
        _tap = tap;
        Ops = new CheckedOps(_queue);
    }

    /// <summary>The operations, with their arguments checked.</summary>
    public IOps Ops { get; }

    /// <summary>Largest number of workspace bytes in use at once so far.</summary>
    public long WorkspacePeak => _workspace.Peak;

    /// <summary>Takes an uninitialised tensor of the activation type, base aligned to 256 bytes, rows without gaps.</summary>
    public Tensor Take(params ReadOnlySpan<int> shape) => _workspace.Take(new Shape(shape), _activation);

    /// <summary>Takes an uninitialised tensor of the activation type.</summary>
    public Tensor Take(Shape shape) => _workspace.Take(shape, _activation);

    /// <summary>Takes an uninitialised tensor F: embeddings, logits, scores, what leaves the device.</summary>
    public Tensor TakeFloat(params ReadOnlySpan<int> shape) => _workspace.Take(new Shape(shape), DType.F32);

    /// <summary>Takes an uninitialised tensor I: ids, indices, lengths.</summary>
    public Tensor TakeInt(params ReadOnlySpan<int> shape) => _workspace.Take(new Shape(shape), DType.I32);

    /// <summary>Takes an uninitialised tensor U: pixels, 0/1 masks.</summary>
    public Tensor TakeBytes(params ReadOnlySpan<int> shape) => _workspace.Take(new Shape(shape), DType.U8);

    /// <summary>Makes an empty cache of keys and values; it lies outside the workspace and lives until its owner disposes it.</summary>
    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim) => _backend.CreateKvCache(rows, capacity, heads, headDim);

    /// <summary>Opens a mark; disposing it gives back all that was taken since.</summary>
    public WorkspaceMark Mark() => new(this, _workspace.Position);

    /// <summary>Copies host values into a tensor, row by row without gaps in the source.</summary>
    /// <exception cref="ContractException">Sizes differ, or the memory is read-only.</exception>
    public void CopyIn<T>(ReadOnlySpan<T> source, Tensor destination) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(source);
        CheckSize("CopyIn", bytes.Length, destination);
        if (destination.Storage is { IsReadOnly: true }) throw new ContractException($"CopyIn: {destination} lies in read-only memory");
        _queue.CopyIn(bytes, destination);
    }

    /// <summary>Waits for the work before it and copies a tensor to the host, row by row without gaps in the destination.</summary>
    /// <exception cref="ContractException">Sizes differ.</exception>
    public void CopyOut<T>(Tensor source, Span<T> destination) where T : unmanaged
    {
        var bytes = MemoryMarshal.AsBytes(destination);
        CheckSize("CopyOut", bytes.Length, source);
        _queue.CopyOut(source, bytes);
    }

    /// <summary>Shows an intermediate result to whoever listens; does nothing otherwise.</summary>
    /// <param name="stage">Name of the stage: <c>vision.block</c>.</param>
    /// <param name="index">Number of the layer, or −1.</param>
    /// <param name="value">The result.</param>
    public void Tap(string stage, int index, Tensor value) => _tap?.Observe(this, stage, index, value);

    /// <summary>Frees the workspace.</summary>
    public void Dispose()
    {
        _workspace.Dispose();
        _queue.Dispose();
    }

    internal void Return((int Block, long Used, long Below) position) => _workspace.Return(position, _queue);

    private static void CheckSize(string what, int bytes, Tensor tensor)
    {
        long expected = tensor.Shape.Count * tensor.Type.Size();
        if (bytes != expected) throw new ContractException($"{what}: {tensor} takes {expected} bytes, but the host span has {bytes}");
    }
}

/// <summary>An open mark of a session's workspace.</summary>
public readonly ref struct WorkspaceMark
{
    private readonly Session _session;
    private readonly (int Block, long Used, long Below) _position;

    internal WorkspaceMark(Session session, (int Block, long Used, long Below) position) => (_session, _position) = (session, position);

    /// <summary>Gives back all memory taken since the mark was opened. It may be taken again at once: a session keeps the order of its work.</summary>
    public void Dispose() => _session.Return(_position);
}
