using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>A table of rows by id, name <c>weight</c> [rows, width].</summary>
public sealed class Embedding
{
    private readonly PackedWeight _table;

    /// <summary>Loads the table.</summary>
    public Embedding(WeightNode w, int rows, int width) => _table = w.Pack(WeightUse.Table, w.Matrix("weight", rows, width), bias: null);

    /// <summary>Looks ids up.</summary>
    /// <param name="s">The session.</param>
    /// <param name="ids">[batch, length] I, all inside the table.</param>
    /// <param name="positions">[at least length, width]: row i is added to token i; none: nothing is added.</param>
    /// <param name="starts">[batch] I: the row of positions that each row's first token gets; none: 0.</param>
    /// <returns>[batch, length, width].</returns>
    public Tensor Apply(Session s, Tensor ids, Tensor positions = default, Tensor starts = default)
    {
        var y = s.Take(ids.Shape[0], ids.Shape[1], _table.Inputs);
        s.Ops.Embed(new EmbedArgs(ids, _table, y) { Positions = positions, PositionStart = starts });
        return y;
    }
}
