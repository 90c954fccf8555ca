namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// How a product is cut to fit a core's second-level cache: in it lie a chunk of k of all rows of a block (five eighths of it at most), and the
/// same chunk of a panel and of the next one (an eighth each). Sums of unfinished chunks wait in memory, a small part of the traffic.
/// </summary>
internal readonly struct Blocking
{
    // Of the widest tier: its panels are 128 bytes wide.
    private const int BytesPerStep = 128;

    /// <summary>Rows of a block: equal blocks of whole tiles.</summary>
    public readonly int Rows;

    /// <summary>Steps of k of a chunk: equal chunks.</summary>
    public readonly int Chunk;

    /// <summary>Cuts a product.</summary>
    /// <param name="rows">Rows of the left operand.</param>
    /// <param name="k">Terms of each sum.</param>
    /// <param name="tileRows">Rows of the tallest tile.</param>
    /// <param name="cacheBytes">Size of the cache.</param>
    public Blocking(int rows, int k, int tileRows, long cacheBytes)
    {
        // Rows of a single tile meet each panel once: nothing is gained by holding it.
        Chunk = rows <= tileRows ? k : Even(k, (int)(cacheBytes / (8 * BytesPerStep)), 1);
        long fit = Math.Max(1, cacheBytes * 5 / 8 / sizeof(float) / Math.Max(1, Chunk) / tileRows) * tileRows;
        Rows = Even(rows, fit, tileRows);
    }

    /// <summary>The size of equal parts of at most <paramref name="most"/>, in whole units.</summary>
    private static int Even(int count, long most, int unit)
    {
        int parts = (int)((count + most - 1) / most), even = (count + parts - 1) / Math.Max(1, parts);
        return Math.Max(1, parts <= 1 ? count : Math.Min((even + unit - 1) / unit * unit, count));
    }
}

/// <summary>Cuts rows into tiles of nearly equal height, so that no tile runs half empty.</summary>
/// <param name="rows">Number of rows.</param>
/// <param name="tallest">Rows of the tallest tile.</param>
internal readonly struct Tiling(int rows, int tallest)
{
    /// <summary>Number of tiles.</summary>
    public readonly int Count = (rows + tallest - 1) / tallest;

    /// <summary>Rows of all tiles.</summary>
    public readonly int Total = rows;

    private readonly int _low = rows / Math.Max(1, (rows + tallest - 1) / tallest);
    private readonly int _taller = rows % Math.Max(1, (rows + tallest - 1) / tallest);

    /// <summary>First row of a tile.</summary>
    public int First(int tile) => (tile * _low) + Math.Min(tile, _taller);

    /// <summary>Rows of a tile.</summary>
    public int Rows(int tile) => _low + (tile < _taller ? 1 : 0);
}
