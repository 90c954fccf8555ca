namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Softmax of scale·x with the largest element m subtracted. scale·x − m is one fused step; that m itself is rounded shifts all
/// exponents alike and so cancels. NaN anywhere and m = ±∞ reach every element through the sum, as in PyTorch.
/// </summary>
internal static unsafe class SoftmaxKernel<S, V> where S : struct, ISimd<V> where V : struct
{
    // Sums of parts are added, so that a vocabulary's worth of terms loses no more digits than a sentence's.
    private const int Part = 1024;

    /// <summary>exp(scale·x − m) / Σ exp(scale·x − m); y may be x.</summary>
    public static void Row(float* x, float* y, int columns, float scale)
    {
        float max = Max(x, columns, scale);
        V factor = S.Broadcast(1 / Sum(x, y, columns, scale, max));
        int i = 0;
        for (; i <= columns - S.Width; i += S.Width) S.Store(y + i, S.Mul(S.Load(y + i), factor));
        int tail = columns - i;
        if (tail > 0) S.StoreFirst(y + i, S.Mul(S.LoadFirst(y + i, tail), factor), tail);
    }

    /// <summary>scale·x − m − ln Σ exp(scale·x − m); y may be x.</summary>
    public static void LogRow(float* x, float* y, int columns, float scale)
    {
        float max = Max(x, columns, scale);
        V factor = S.Broadcast(scale), shift = S.Broadcast(-max), log = S.Broadcast(MathF.Log(Sum(x, null, columns, scale, max)));
        int i = 0;
        for (; i <= columns - S.Width; i += S.Width) S.Store(y + i, S.Sub(S.Fma(S.Load(x + i), factor, shift), log));
        int tail = columns - i;
        if (tail > 0) S.StoreFirst(y + i, S.Sub(S.Fma(S.LoadFirst(x + i, tail), factor, shift), log), tail);
    }

    /// <summary>Largest element of scale·x; of no use, but harmless, when there is a NaN.</summary>
    private static float Max(float* x, int columns, float scale)
    {
        V factor = S.Broadcast(scale), none = S.Broadcast(float.NegativeInfinity), a = none, b = none, c = none, d = none;
        int i = 0;
        for (; i <= columns - (4 * S.Width); i += 4 * S.Width)
        {
            a = S.Max(a, S.Mul(S.Load(x + i), factor));
            b = S.Max(b, S.Mul(S.Load(x + i + S.Width), factor));
            c = S.Max(c, S.Mul(S.Load(x + i + (2 * S.Width)), factor));
            d = S.Max(d, S.Mul(S.Load(x + i + (3 * S.Width)), factor));
        }
        for (; i <= columns - S.Width; i += S.Width) a = S.Max(a, S.Mul(S.Load(x + i), factor));
        b = S.Max(b, S.KeepFirst(S.Mul(S.LoadFirst(x + i, columns - i), factor), columns - i, none));
        return S.MaxLane(S.Max(S.Max(a, b), S.Max(c, d)));
    }

    /// <summary>Σ exp(scale·x − max); the terms go to y unless it is null.</summary>
    private static float Sum(float* x, float* y, int columns, float scale, float max)
    {
        float sum = 0;
        for (int i = 0; i < columns; i += Part) sum += SumPart(x + i, y is null ? null : y + i, Math.Min(Part, columns - i), scale, max);
        return sum;
    }

    private static float SumPart(float* x, float* y, int columns, float scale, float max)
    {
        V factor = S.Broadcast(scale), shift = S.Broadcast(-max), sum = S.Zero;
        int i = 0;
        for (; i <= columns - S.Width; i += S.Width)
        {
            V e = VectorMath<S, V>.Exp(S.Fma(S.Load(x + i), factor, shift));
            sum = S.Add(sum, e);
            if (y is not null) S.Store(y + i, e);
        }
        int tail = columns - i;
        if (tail == 0) return S.Sum(sum);
        V last = VectorMath<S, V>.Exp(S.Fma(S.LoadFirst(x + i, tail), factor, shift));
        if (y is not null) S.StoreFirst(y + i, last, tail);
        return S.Sum(S.Add(sum, S.KeepFirst(last, tail, S.Zero)));
    }
}
