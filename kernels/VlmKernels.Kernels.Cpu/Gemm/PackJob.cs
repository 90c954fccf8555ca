namespace VlmKernels.Kernels.Cpu;

/// <summary>Brings a block of rows into tiles, <c>[chunk of k][tile][k][rows of the tile]</c>. An item is a tile.</summary>
internal unsafe struct PackJob<TSource> : IJob where TSource : unmanaged, IRowSource
{
    public TSource Source;
    public Tiling Tiles;
    public float* Into, Scratch;
    public long ScratchStride;
    public int First, K, Chunk;

    public void Run(int item, int worker)
    {
        int first = Tiles.First(item), rows = Tiles.Rows(item);
        float** row = stackalloc float*[rows];
        float* scratch = Scratch + (worker * ScratchStride);
        for (int r = 0; r < rows; r++) row[r] = Source.Row(First + first + r, scratch + ((long)r * K));
        for (int from = 0; from < K; from += Chunk)
        {
            int count = Math.Min(Chunk, K - from);
            TilePacker.Pack(row, rows, count, Into + ((long)from * Tiles.Total) + ((long)first * count), rows);
            for (int r = 0; r < rows; r++) row[r] += count;
        }
    }
}
