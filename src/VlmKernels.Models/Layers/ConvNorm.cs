using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// A convolution without bias and the batch normalisation behind it (Ioffe and Szegedy 2015), which is folded into the kernel at load, in double:
/// W' = W·g/√(v + ε) and b' = b − m·g/√(v + ε). A 1×1 convolution is a linear layer over the cells.
/// </summary>
public sealed class ConvNorm
{
    private const double Epsilon = 1e-5;

    private readonly PackedWeight _weight;
    private readonly Linear? _pointwise;
    private readonly Stencil _stencil;

    /// <summary>Loads the layer.</summary>
    /// <param name="conv">Holds <c>weight</c> [outputs, channels, side, side].</param>
    /// <param name="norm">Holds <c>weight</c>, <c>bias</c>, <c>running_mean</c>, <c>running_var</c>, each [outputs].</param>
    /// <param name="channels">Input channels.</param>
    /// <param name="outputs">Output channels.</param>
    /// <param name="stencil">Window, stride and padding.</param>
    public ConvNorm(WeightNode conv, WeightNode norm, int channels, int outputs, Stencil stencil)
    {
        _stencil = stencil;
        float[] gain = norm.Values("weight", outputs), bias = norm.Values("bias", outputs);
        float[] mean = norm.Buffer("running_mean", outputs), variance = norm.Buffer("running_var", outputs);
        var factors = new double[outputs];
        for (int i = 0; i < outputs; i++)
        {
            factors[i] = gain[i] / Math.Sqrt(variance[i] + Epsilon);
            bias[i] = (float)(bias[i] - (mean[i] * factors[i]));
        }
        bool pointwise = stencil is { Kernel: 1, Stride: 1, PadBefore: 0, PadAfter: 0 };
        var kernel = new ScaledMatrix(conv.Kernel("weight", outputs, channels, stencil.Kernel), factors);
        _weight = conv.Pack(pointwise ? WeightUse.Linear : WeightUse.Conv, kernel, bias, stencil.Kernel);
        if (pointwise) _pointwise = new Linear(_weight);
    }

    /// <summary>Applies the layer.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[batch, height, width, channels].</param>
    /// <param name="activation">Applied last.</param>
    /// <param name="residual">Added before the activation; none: nothing is added.</param>
    /// <param name="into">Receives the result; none: a new tensor.</param>
    public Tensor Apply(Session s, Tensor x, Activation activation = Activation.None, Tensor residual = default, Tensor into = default)
    {
        if (_pointwise is not null) return _pointwise.Apply(s, x, activation, residual, into);
        var y = into.IsNone ? s.Take(x.Shape[0], _stencil.Windows(x.Shape[1]), _stencil.Windows(x.Shape[2]), _weight.Outputs) : into;
        s.Ops.Conv2d(new ConvArgs(x, _weight, y, _stencil) { Epilogue = new Epilogue(activation, residual) });
        return y;
    }
}
