using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>Columns of NaN left and right of a matrix inside a wider one.</summary>
/// <param name="Before">Columns before the first.</param>
/// <param name="After">Columns behind the last.</param>
public readonly record struct Gap(int Before, int After);

/// <summary>
/// Operands of one case on one backend, by name: asked for again, a name gives the same tensor. Their values depend on the name and on an
/// element's place only, not on the backend. Activations, ids and pixels are batched: run with <paramref name="firstItem"/> = i, a case
/// with one item gets what item i gets in a larger batch. F operands and weights are shared by all items.
/// </summary>
/// <param name="c">The case.</param>
/// <param name="session">The session that will run it.</param>
/// <param name="backend">The session's backend.</param>
/// <param name="firstItem">Number of the case's first item.</param>
public sealed class OpInputs(OpCase c, Session session, IBackend backend, int firstItem = 0) : IDisposable
{
    private static readonly float FloatGuard = BitConverter.UInt32BitsToSingle(0x7FC0DEAD);

    private readonly Dictionary<string, GuardedBuffer> _buffers = [];
    private readonly Dictionary<string, Tensor> _uploads = [];
    private readonly Dictionary<string, PackedWeight> _weights = [];
    private KvCache? _cache;

    /// <summary>Number of the case's first item in the whole batch.</summary>
    public int FirstItem => firstItem;

    /// <summary>A batched activation. <paramref name="alter"/> gets an element's place in the whole batch and its value.</summary>
    public Tensor A(string name, Shape shape, Gap gap = default, Func<long, float, float>? alter = null) =>
        Buffer(name, shape, DType.F32, gap, FloatGuard, false, Floats(alter));

    /// <summary>A batched vector or matrix of ids, lengths or indices from 0 to <paramref name="end"/> − 1.</summary>
    public Tensor I(string name, Shape shape, int end, Func<long, int, int>? alter = null) =>
        Buffer(name, shape, DType.I32, default, int.MinValue, false, (at, random) => Alter(alter, at, (int)((random >> 32) % (ulong)end)));

    /// <summary>A batched matrix of bytes: pixels, or a 0/1 mask through <paramref name="alter"/>.</summary>
    public Tensor U(string name, Shape shape, Func<long, byte, byte>? alter = null) =>
        Buffer(name, shape, DType.U8, default, (byte)0xA5, false, (at, random) => Alter(alter, at, (byte)(random >> 56)));

    /// <summary>Memory for a result, full of guards.</summary>
    public Tensor Y(Shape shape, Gap gap = default) => Buffer("y", shape, DType.F32, gap, FloatGuard, true, (_, _) => FloatGuard);

    /// <summary>A batched activation that the operation overwrites with its result.</summary>
    public Tensor InPlace(string name, Shape shape, Gap gap = default, Func<long, float, float>? alter = null) =>
        Buffer(name, shape, DType.F32, gap, FloatGuard, true, Floats(alter));

    /// <summary>A tensor F that all items share: norm weights, positions, tables.</summary>
    public Tensor F(string name, Shape shape, Func<long, float, float>? alter = null)
    {
        if (_uploads.TryGetValue(name, out var known)) return known;
        float[] values = backend is PlanBackend ? [] : Seeded.Array(name, shape.Count, 0, Floats(alter));
        return _uploads[name] = backend.Upload(values, shape);
    }

    /// <summary>A matrix F32 or F16 in memory of the host that all items share.</summary>
    public Tensor Mapped(string name, Shape shape, DType type)
    {
        if (_uploads.TryGetValue(name, out var known)) return known;
        long bytes = shape.Count * type.Size();
        // The backend holds the memory for as long as it needs it.
        using var memory = new HostMemory(bytes);
        if (backend is PlanBackend) return _uploads[name] = backend.Map(new MapRequest(memory, 0, shape, type));
        if (type == DType.F16) memory.WriteArray(0, Seeded.Array(name, shape.Count, 0, (at, random) => (Half)Floats(null)(at, random)), 0, (int)shape.Count);
        else memory.WriteArray(0, Seeded.Array(name, shape.Count, 0, Floats(null)), 0, (int)shape.Count);
        return _uploads[name] = backend.Map(new MapRequest(memory, 0, shape, type));
    }

    /// <summary>A packed weight; unless dyadic, of the size that keeps products near 1.</summary>
    public PackedWeight Weight(WeightUse use, int outputs, int inputs, bool bias = true, int kernel = 1)
    {
        if (_weights.TryGetValue("weight", out var known)) return known;
        float scale = c.Dyadic || use == WeightUse.Table ? 1 : 1 / MathF.Sqrt(inputs);
        var matrix = new SeededMatrix("weight", outputs, inputs, Floats((_, v) => v * scale));
        float[]? values = bias ? Seeded.Array("bias", outputs, 0, Floats(null)) : null;
        return _weights["weight"] = backend.Pack(new PackRequest("table.weight", use, matrix, values, kernel));
    }

    /// <summary>The cache of a case; <paramref name="fill"/> runs when it is made.</summary>
    public KvCache Cache(int rows, int capacity, int heads, int headDim, Action<KvCache> fill)
    {
        if (_cache is { } known) return known;
        _cache = backend.CreateKvCache(Math.Max(1, rows), capacity, heads, headDim);
        fill(_cache);
        return _cache;
    }

    /// <summary>Names of buffers that hold something else than before the run, outside the result.</summary>
    public IEnumerable<string> Disturbed() => _buffers.Where(b => !b.Value.IsUndisturbed(session)).Select(b => b.Key);

    /// <summary>Gives all operands back.</summary>
    public void Dispose()
    {
        foreach (var buffer in _buffers.Values) buffer.View.Storage!.Dispose();
        foreach (var upload in _uploads.Values) upload.Storage!.Dispose();
        foreach (var weight in _weights.Values) weight.Dispose();
        _cache?.Dispose();
    }

    private Func<long, ulong, float> Floats(Func<long, float, float>? alter) => c.Dyadic
        ? (at, random) => Alter(alter, at, ((int)((random >> 32) % 9) - 4) * 0.25f)
        : (at, random) => Alter(alter, at, ((random >> 40) * (1f / (1 << 23))) - 1);

    private static T Alter<T>(Func<long, T, T>? alter, long at, T value) => alter is null ? value : alter(at, value);

    private Tensor Buffer<T>(string name, Shape shape, DType type, Gap gap, T guard, bool written, Func<long, ulong, T> value) where T : unmanaged
    {
        if (_buffers.TryGetValue(name, out var known)) return known.View;
        long start = firstItem * (shape.Count / Math.Max(1, c.Items));
        var buffer = new GuardedBuffer<T>(backend, shape, type, gap, guard, written, () => Seeded.Array(name, shape.Count, start, value));
        _buffers[name] = buffer;
        if (backend is not PlanBackend) buffer.Fill(session);
        return buffer.View;
    }
}
