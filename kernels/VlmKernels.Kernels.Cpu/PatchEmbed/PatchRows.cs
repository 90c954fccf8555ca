using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Where patches lie in a batch of pictures [b, height, width, 3].</summary>
internal readonly struct PatchGrid(int height, int width, int patch)
{
    public readonly int Patch = patch;
    public readonly int Across = width / patch;
    public readonly int PerPicture = height / patch * (width / patch);
    private readonly int _height = height, _width = width;

    /// <summary>First value of a patch; patches are numbered row by row, picture by picture.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public nint First(int patch)
    {
        int picture = patch / PerPicture, cell = patch % PerPicture;
        return ((((nint)picture * _height) + (cell / Across * Patch)) * _width * 3) + (cell % Across * Patch * 3);
    }

    /// <summary>Values from one pixel row to the next.</summary>
    public nint RowPitch => _width * 3;
}

/// <summary>Patches of float pictures as rows of a product, in the order row, column, channel.</summary>
internal readonly unsafe struct FloatPatchRows(float* pixels, PatchGrid grid) : IRowSource
{
    private readonly float* _pixels = pixels;
    private readonly PatchGrid _grid = grid;

    public float* Row(int row, float* scratch)
    {
        int width = 3 * _grid.Patch;
        float* from = _pixels + _grid.First(row);
        for (int y = 0; y < _grid.Patch; y++, from += _grid.RowPitch)
        {
            new ReadOnlySpan<float>(from, width).CopyTo(new Span<float>(scratch + (y * width), width));
        }
        return scratch;
    }
}

/// <summary>Patches of byte pictures as rows of a product; every byte goes through its channel's table.</summary>
internal readonly unsafe struct BytePatchRows(byte* pixels, float* table, PatchGrid grid) : IRowSource
{
    private readonly byte* _pixels = pixels;
    private readonly float* _table = table;
    private readonly PatchGrid _grid = grid;

    public float* Row(int row, float* scratch)
    {
        byte* from = _pixels + _grid.First(row);
        for (int y = 0; y < _grid.Patch; y++, from += _grid.RowPitch)
        {
            for (int x = 0; x < 3 * _grid.Patch; x += 3, scratch += 3)
            {
                scratch[0] = _table[from[x]];
                scratch[1] = _table[256 + from[x + 1]];
                scratch[2] = _table[512 + from[x + 2]];
            }
        }
        return scratch - (3 * _grid.Patch * _grid.Patch);
    }
}
