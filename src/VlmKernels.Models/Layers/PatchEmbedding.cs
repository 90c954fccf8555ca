using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// Pixels to tokens (Dosovitskiy et al. 2021): patches through one linear map, a class token in front, positions added.
/// Names <c>patch_embedding.weight</c>, <c>patch_embedding.bias</c>, <c>class_embedding</c>.
/// </summary>
public sealed class PatchEmbedding
{
    private readonly PackedWeight _weight;
    private readonly Tensor _classToken;
    private readonly GridPositions _positions;
    private readonly int _patch;

    /// <summary>Loads the layer.</summary>
    /// <param name="w">The node that holds it.</param>
    /// <param name="positions">Positions of the class token and the patches.</param>
    /// <param name="width">Width of a token.</param>
    /// <param name="patch">Pixels per side of a patch.</param>
    /// <param name="bias">Whether the map has one.</param>
    public PatchEmbedding(WeightNode w, GridPositions positions, int width, int patch, bool bias)
    {
        (_positions, _patch) = (positions, patch);
        var kernel = w["patch_embedding"];
        _weight = kernel.Pack(WeightUse.Patch, kernel.Kernel("weight", width, 3, patch), bias ? kernel.Values("bias", width) : null, patch);
        _classToken = w.Vector("class_embedding", width);
    }

    /// <summary>Applies the layer; taps <c>vision.positions</c>.</summary>
    /// <returns>[batch, 1 + patches, width].</returns>
    public Tensor Apply(Session s, Pixels pixels)
    {
        int rows = pixels.Height / _patch, columns = pixels.Width / _patch;
        var y = s.Take(pixels.Batch, 1 + (rows * columns), _weight.Outputs);
        using var mark = s.Mark();
        var positions = _positions.For(s, rows, columns);
        s.Tap("vision.positions", -1, positions);
        s.Ops.PatchEmbed(new PatchEmbedArgs(pixels.Data, _weight, y, _patch) { ByteTable = pixels.ByteTable, ClassToken = _classToken, Positions = positions });
        return y;
    }
}
