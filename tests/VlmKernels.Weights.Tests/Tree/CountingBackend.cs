using VlmKernels.Kernels;

namespace VlmKernels.Weights.Tests.Tree;

/// <summary>A backend that keeps what it packs and counts what lives. It computes nothing.</summary>
internal sealed class CountingBackend : IBackend
{
    public string Name => "counting";

    public DType ActivationType => DType.F32;

    public int Alive { get; private set; }

    public List<float[]> Packed { get; } = [];

    public List<float[]> Uploaded { get; } = [];

    public Storage Allocate(long bytes) => new Counted(this, bytes);

    public Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        Uploaded.Add(values.ToArray());
        return new Tensor(Allocate(4 * shape.Count), 0, shape, DType.F32, shape.Columns);
    }

    public Tensor Map(in MapRequest request) => throw new NotSupportedException();

    public PackedWeight Pack(in PackRequest request)
    {
        var values = new float[request.Matrix.Rows * request.Matrix.Columns];
        const int Panel = 3; // packers read panels of rows
        for (int row = 0; row < request.Matrix.Rows; row += Panel)
        {
            int count = Math.Min(Panel, request.Matrix.Rows - row);
            request.Matrix.Read(row, count, values.AsSpan(row * request.Matrix.Columns, count * request.Matrix.Columns));
        }
        Packed.Add(values);
        return new CountedWeight(this, request);
    }

    public KvCache CreateKvCache(int rows, int capacity, int heads, int headDim) => throw new NotSupportedException();

    public IQueue OpenQueue() => throw new NotSupportedException();

    public void Dispose() { }

    private sealed class Counted : Storage
    {
        private readonly CountingBackend _backend;

        public Counted(CountingBackend backend, long bytes)
        {
            (_backend, Bytes) = (backend, bytes);
            backend.Alive++;
        }

        public override long Bytes { get; }

        public override void Dispose() => _backend.Alive--;
    }

    private sealed class CountedWeight : PackedWeight
    {
        private readonly CountingBackend _backend;

        public CountedWeight(CountingBackend backend, in PackRequest request) : base(request.Key, request.Use, request.Matrix.Rows, request.Matrix.Columns, default)
        {
            _backend = backend;
            backend.Alive++;
        }

        public override long Bytes => 0;

        public override void Dispose() => _backend.Alive--;
    }
}
