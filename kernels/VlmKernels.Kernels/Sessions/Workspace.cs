namespace VlmKernels.Kernels;

/// <summary>
/// Memory with stack discipline: <see cref="Take"/> pushes, closing a mark pops. It grows by blocks that never move; when everything
/// has been given back, several blocks merge into one, so a repeated pass finds all its memory and allocates nothing.
/// </summary>
internal sealed class Workspace(IBackend backend) : IDisposable
{
    private const int Alignment = 256;
    private const long SmallestBlock = 1 << 20;

    private readonly List<Storage> _blocks = [];
    private int _block;
    private long _used;
    private long _below;

    /// <summary>Largest number of bytes in use at once since the workspace was made.</summary>
    public long Peak { get; private set; }

    public (int Block, long Used, long Below) Position => (_block, _used, _below);

    public Tensor Take(Shape shape, DType type)
    {
        long bytes = (Math.Max(1, shape.Count * type.Size()) + Alignment - 1) / Alignment * Alignment;
        while (_block < _blocks.Count && _used + bytes > _blocks[_block].Bytes) NextBlock();
        if (_block == _blocks.Count) _blocks.Add(backend.Allocate(Math.Max(bytes, Math.Max(SmallestBlock, _below / 2))));
        var tensor = new Tensor(_blocks[_block], _used, shape, type, shape.Columns);
        _used += bytes;
        Peak = Math.Max(Peak, _below + _used);
        return tensor;
    }

    /// <summary>Gives back all that was taken since <paramref name="position"/> and tells <paramref name="queue"/> which ranges those were.</summary>
    public void Return((int Block, long Used, long Below) position, IQueue queue)
    {
        for (int b = position.Block; b < _blocks.Count && b <= _block; b++)
        {
            long from = b == position.Block ? position.Used : 0;
            long to = b == _block ? _used : _blocks[b].Bytes;
            if (to > from) queue.Discard(_blocks[b], from, to - from);
        }
        (_block, _used, _below) = position;
        if (_block == 0 && _used == 0 && _blocks.Count > 1) Merge();
    }

    public void Dispose()
    {
        foreach (var block in _blocks) block.Dispose();
        _blocks.Clear();
    }

    private void NextBlock()
    {
        _below += _used;
        _used = 0;
        _block++;
    }

    private void Merge()
    {
        long total = 0;
        foreach (var block in _blocks)
        {
            total += block.Bytes;
            block.Dispose();
        }
        _blocks.Clear();
        _blocks.Add(backend.Allocate(total));
    }
}
