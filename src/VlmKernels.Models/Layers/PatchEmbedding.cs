using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// Pixels to tokens (Dosovitskiy et al. 2021): patches through one linear map without bias, a class token in front, positions added.
/// Names <c>patch_embedding.weight</c>, <c>class_embedding</c>, <c>position_embedding.weight</c>.
/// </summary>
public sealed class PatchEmbedding
{
    private readonly PackedWeight _weight;
    private readonly Tensor _classToken;
    private readonly GridPositions _positions;
    private readonly int _patch;

    /// <summary>Loads the layer.</summary>
    public PatchEmbedding(WeightNode w, int width, int patch, int imageSize, PositionResizing resizing)
    {
        _patch = patch;
        var kernel = w["patch_embedding"];
        _weight = kernel.Pack(WeightUse.Patch, kernel.Kernel("weight", width, 3, patch), bias: null, patch);
        _classToken = w.Vector("class_embedding", width);
        _positions = new GridPositions(w["position_embedding"], "weight", imageSize / patch, width, resizing);
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
