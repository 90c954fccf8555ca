using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>Layer normalisation over the last axis (Ba et al. 2016), names <c>weight</c> and <c>bias</c>.</summary>
public sealed class LayerNorm
{
    private readonly Tensor _weight, _bias;
    private readonly float _epsilon;

    /// <summary>Loads the layer.</summary>
    public LayerNorm(WeightNode w, int width, float epsilon)
    {
        _weight = w.Vector("weight", width);
        _bias = w.Vector("bias", width);
        _epsilon = epsilon;
    }

    /// <summary>Normalises x [.., width]; the result may replace it.</summary>
    public Tensor Apply(Session s, Tensor x, Tensor into = default)
    {
        var y = into.IsNone ? s.Take(x.Shape) : into;
        s.Ops.Norm(new NormArgs(x, y, NormKind.LayerNorm, _epsilon) { Weight = _weight, Bias = _bias });
        return y;
    }
}
