namespace VlmKernels.Kernels.Cpu;

/// <summary>x / max(‖x‖₂, ε).</summary>
internal readonly unsafe struct L2NormKernel<S, V> : INormKernel where S : struct, ISimd<V> where V : struct
{
    public static void Row(float* x, float* y, float* weight, float* bias, int columns, float epsilon)
    {
        V length = S.Broadcast(MathF.Max(MathF.Sqrt(Squares(x, columns)), epsilon));
        int i = 0;
        for (; i <= columns - S.Width; i += S.Width) S.Store(y + i, S.Div(S.Load(x + i), length));
        int tail = columns - i;
        if (tail > 0) S.StoreFirst(y + i, S.Div(S.LoadFirst(x + i, tail), length), tail);
    }

    private static float Squares(float* x, int columns)
    {
        V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
        int i = 0;
        for (; i <= columns - (4 * S.Width); i += 4 * S.Width)
        {
            V v0 = S.Load(x + i), v1 = S.Load(x + i + S.Width), v2 = S.Load(x + i + (2 * S.Width)), v3 = S.Load(x + i + (3 * S.Width));
            a = S.Fma(v0, v0, a);
            b = S.Fma(v1, v1, b);
            c = S.Fma(v2, v2, c);
            d = S.Fma(v3, v3, d);
        }
        for (; i <= columns - S.Width; i += S.Width)
        {
            V v = S.Load(x + i);
            a = S.Fma(v, v, a);
        }
        V last = S.LoadFirst(x + i, columns - i);
        b = S.Fma(last, last, b);
        return S.Sum(S.Add(S.Add(a, b), S.Add(c, d)));
    }
}
