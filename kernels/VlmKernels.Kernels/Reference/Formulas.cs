using System.Numerics;

namespace VlmKernels.Kernels;

/// <summary>What several reference operations share.</summary>
internal static class Formulas
{
    /// <summary>Σ aᵢ·bᵢ: every product is exact in double. The order depends on the length alone, so on no batch.</summary>
    public static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        int whole = a.Length - (a.Length % Vector<float>.Count);
        Vector<double> low = default, high = default;
        for (int i = 0; i < whole; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(a[i..]), out var a0, out var a1);
            Vector.Widen(new Vector<float>(b[i..]), out var b0, out var b1);
            low += a0 * b0;
            high += a1 * b1;
        }
        double sum = Vector.Sum(low + high);
        for (int i = whole; i < a.Length; i++) sum += (double)a[i] * b[i];
        return sum;
    }

    public static double Apply(Activation activation, double x) => activation switch
    {
        Activation.None => x,
        Activation.Relu => Math.Max(x, 0),
        Activation.Gelu => 0.5 * x * ErrorFunction.Complement(-x / Math.Sqrt(2)),
        Activation.GeluTanh => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
        Activation.QuickGelu => x * Sigmoid(1.702 * x),
        Activation.Silu => x * Sigmoid(x),
        Activation.Sigmoid => Sigmoid(x),
        Activation.Tanh => Math.Tanh(x),
        _ => throw new ContractException($"expected an activation, found {activation}"),
    };

    /// <summary>One row of products becomes a row of y: act(product + bias + residual). The residual may be y.</summary>
    public static void Finish(ReadOnlySpan<double> products, ReadOnlySpan<float> bias, in Epilogue epilogue, Tensor y, int row)
    {
        var target = y.Floats().Row(row);
        var residual = epilogue.Residual.RowOrNone(row);
        for (int o = 0; o < target.Length; o++)
        {
            double sum = products[o] + (bias.IsEmpty ? 0 : bias[o]) + (residual.IsEmpty ? 0 : residual[o]);
            target[o] = (float)Apply(epilogue.Activation, sum);
        }
    }

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));
}
