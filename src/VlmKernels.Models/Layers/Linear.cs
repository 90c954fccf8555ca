using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>y = act(x·Wᵀ + b + residual), names <c>weight</c> [outputs, inputs] and <c>bias</c> [outputs].</summary>
public sealed class Linear
{
    private readonly PackedWeight _weight;

    /// <summary>Loads the layer.</summary>
    public Linear(WeightNode w, int inputs, int outputs, bool bias = true)
        : this(w.Pack(WeightUse.Linear, w.Matrix("weight", outputs, inputs), bias ? w.Values("bias", outputs) : null)) { }

    /// <summary>Makes the layer of a weight packed for <see cref="WeightUse.Linear"/>.</summary>
    public Linear(PackedWeight weight) => _weight = weight;

    /// <summary>Width of the result.</summary>
    public int Outputs => _weight.Outputs;

    /// <summary>Loads several layers over one input as one product, the first one's outputs first: query, key and value.</summary>
    public static Linear Join(WeightNode w, int inputs, params ReadOnlySpan<(string Name, int Outputs)> parts)
    {
        var matrices = new MatrixSource[parts.Length];
        var biases = new List<float>();
        for (int i = 0; i < parts.Length; i++)
        {
            var (name, outputs) = parts[i];
            matrices[i] = w[name].Matrix("weight", outputs, inputs);
            biases.AddRange(w[name].Values("bias", outputs));
        }
        return new Linear(w.Pack(WeightUse.Linear, new StackedMatrix(matrices), [.. biases]));
    }

    /// <summary>Applies the layer.</summary>
    /// <param name="s">The session.</param>
    /// <param name="x">[.., inputs].</param>
    /// <param name="activation">Applied last.</param>
    /// <param name="residual">[.., outputs], added before the activation; none: nothing is added.</param>
    /// <param name="into">[.., outputs] that receives the result; none: a new tensor.</param>
    public Tensor Apply(Session s, Tensor x, Activation activation = Activation.None, Tensor residual = default, Tensor into = default)
    {
        var y = into.IsNone ? s.Take(x.Shape.WithColumns(Outputs)) : into;
        s.Ops.Linear(new LinearArgs(x, _weight, y) { Epilogue = new Epilogue(activation, residual) });
        return y;
    }
}
