using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// (x − mean) / √(variance + ε) · weight + bias in three sweeps; the second and third find the row in the first-level cache.
/// The mean is rounded to a float, so what it lacks is measured with the variance: with d = x − rounded mean, variance = mean(d²) − mean(d)²,
/// and mean(d) also leaves the result. A row far from 0 with a narrow spread keeps its digits that way.
/// </summary>
internal readonly unsafe struct LayerNormKernel<S, V> : INormKernel where S : struct, ISimd<V> where V : struct
{
    public static void Row(float* x, float* y, float* weight, float* bias, int columns, float epsilon)
    {
        float mean = Sum(x, columns) / columns;
        Moments(x, columns, mean, out float rest, out float square);
        float variance = MathF.Max(0, square - (rest * rest));
        Write(x, y, weight, bias, columns, mean, rest, 1 / MathF.Sqrt(variance + epsilon));
    }

    private static float Sum(float* x, int columns)
    {
        V a = S.Zero, b = S.Zero, c = S.Zero, d = S.Zero;
        int i = 0;
        for (; i <= columns - (4 * S.Width); i += 4 * S.Width)
        {
            a = S.Add(a, S.Load(x + i));
            b = S.Add(b, S.Load(x + i + S.Width));
            c = S.Add(c, S.Load(x + i + (2 * S.Width)));
            d = S.Add(d, S.Load(x + i + (3 * S.Width)));
        }
        for (; i <= columns - S.Width; i += S.Width) a = S.Add(a, S.Load(x + i));
        b = S.Add(b, S.LoadFirst(x + i, columns - i));
        return S.Sum(S.Add(S.Add(a, b), S.Add(c, d)));
    }

    /// <summary>Means of d and d², where d = x − mean.</summary>
    private static void Moments(float* x, int columns, float mean, out float first, out float second)
    {
        V center = S.Broadcast(mean), a = S.Zero, b = S.Zero, c = S.Zero, aa = S.Zero, bb = S.Zero, cc = S.Zero;
        int i = 0;
        for (; i <= columns - (3 * S.Width); i += 3 * S.Width)
        {
            Add(S.Sub(S.Load(x + i), center), ref a, ref aa);
            Add(S.Sub(S.Load(x + i + S.Width), center), ref b, ref bb);
            Add(S.Sub(S.Load(x + i + (2 * S.Width)), center), ref c, ref cc);
        }
        for (; i <= columns - S.Width; i += S.Width) Add(S.Sub(S.Load(x + i), center), ref a, ref aa);
        int tail = columns - i;
        Add(S.KeepFirst(S.Sub(S.LoadFirst(x + i, tail), center), tail, S.Zero), ref b, ref bb);
        first = S.Sum(S.Add(S.Add(a, b), c)) / columns;
        second = S.Sum(S.Add(S.Add(aa, bb), cc)) / columns;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(V d, ref V sum, ref V squares)
    {
        sum = S.Add(sum, d);
        squares = S.Fma(d, d, squares);
    }

    private static void Write(float* x, float* y, float* weight, float* bias, int columns, float mean, float rest, float scale)
    {
        V center = S.Broadcast(mean), offset = S.Broadcast(rest), factor = S.Broadcast(scale);
        int i = 0;
        if (weight is not null && bias is not null)
        {
            // The usual case without a test per vector.
            for (; i <= columns - S.Width; i += S.Width)
            {
                V v = S.Mul(S.Sub(S.Sub(S.Load(x + i), center), offset), factor);
                S.Store(y + i, S.Fma(v, S.Load(weight + i), S.Load(bias + i)));
            }
        }
        for (; i < columns; i += S.Width)
        {
            int count = Math.Min(S.Width, columns - i);
            V v = S.Mul(S.Sub(S.Sub(S.LoadFirst(x + i, count), center), offset), factor);
            V w = weight is null ? S.Broadcast(1) : S.LoadFirst(weight + i, count);
            S.StoreFirst(y + i, bias is null ? S.Mul(v, w) : S.Fma(v, w, S.LoadFirst(bias + i, count)), count);
        }
    }
}
