using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Two linear layers with an activation between them.</summary>
/// <param name="up">Width → hidden.</param>
/// <param name="down">Hidden → width.</param>
/// <param name="activation">Between the two.</param>
public sealed class Mlp(Linear up, Linear down, Activation activation)
{
    /// <summary>Applies the layers.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[.., width].</param>
    /// <param name="residual">Added to the result; none: nothing is added.</param>
    /// <param name="into">Receives the result; none: a new tensor.</param>
    public Tensor Apply(Session s, Tensor x, Tensor residual = default, Tensor into = default)
    {
        var y = into.IsNone ? s.Take(x.Shape) : into;
        using var mark = s.Mark();
        return down.Apply(s, up.Apply(s, x, activation), residual: residual, into: y);
    }
}
