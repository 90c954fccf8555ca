using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>What happens when pictures or the configuration ask for another grid than the checkpoint's.</summary>
public enum PositionResizing
{
    /// <summary>It is an error (openai/CLIP).</summary>
    None,
    /// <summary>The table is resampled once, at load, with antialiasing (open_clip, <c>resize_pos_embed</c>).</summary>
    AtLoad,
    /// <summary>The table is resampled for the pictures at hand, without antialiasing (transformers, <c>interpolate_pos_encoding</c>).</summary>
    AtRun,
    /// <summary>The table is resampled once, at load, without antialiasing (salesforce/BLIP, <c>interpolate_pos_embed</c>).</summary>
    AtLoadPlain,
}

/// <summary>Learned positions of a class token and a grid of patches: [1 + rows · columns, width], the class token's first.</summary>
public sealed class GridPositions
{
    private readonly Tensor _native;
    private readonly float[] _values;
    private readonly int _grid, _width;
    private readonly bool _resamples;
    private Resampled? _last;

    /// <summary>Loads the table.</summary>
    /// <param name="w">The node that holds it.</param>
    /// <param name="name">Its name.</param>
    /// <param name="grid">Patches per side that the configuration asks for.</param>
    /// <param name="width">Width of a token.</param>
    /// <param name="resizing">What to do when another grid is needed.</param>
    public GridPositions(WeightNode w, string name, int grid, int width, PositionResizing resizing)
    {
        (_grid, _width, _resamples) = (grid, width, resizing == PositionResizing.AtRun);
        int tokens = 1 + (grid * grid), stored = w.Rows(name, tokens), side = (int)Math.Round(Math.Sqrt(stored - 1));
        if (resizing is PositionResizing.AtLoad or PositionResizing.AtLoadPlain && stored != tokens && side > 0 && 1 + (side * side) == stored)
        {
            float[] table = w.Values(name, stored, width);
            var kernel = resizing == PositionResizing.AtLoad ? ResampleKernel.BicubicAntialias : ResampleKernel.Bicubic;
            _values = w.ChecksOnly ? new float[tokens * width] : Resample(table, width, side, (grid, grid), kernel);
        }
        else
        {
            _values = w.Values(name, tokens, width);
        }
        _native = w.Upload(_values, new Shape(tokens, width));
    }

    /// <summary>The table for a grid.</summary>
    /// <exception cref="ContractException">The checkpoint's positions are for another grid and are not resampled.</exception>
    public Tensor For(Session s, int rows, int columns)
    {
        if (rows == _grid && columns == _grid) return _native;
        if (!_resamples || rows <= 0 || columns <= 0)
        {
            throw new ContractException($"PatchEmbedding: pixels give {rows}×{columns} patches, but the checkpoint's positions are for {_grid}×{_grid}");
        }
        // Kept for the next pass over pictures of the same size; two sessions that race compute the same values.
        var last = _last;
        if (last is null || last.Rows != rows || last.Columns != columns)
        {
            _last = last = new Resampled(rows, columns, Resample(_values, _width, _grid, (rows, columns), ResampleKernel.Bicubic));
        }
        var table = s.TakeFloat(1 + (rows * columns), _width);
        s.CopyIn<float>(last.Values, table);
        return table;
    }

    private static float[] Resample(float[] table, int width, int grid, (int, int) to, ResampleKernel kernel)
        => [.. table.AsSpan(0, width), .. GridResampler.Resample(table.AsSpan(width), width, (grid, grid), to, kernel)];

    private sealed record Resampled(int Rows, int Columns, float[] Values);
}
