using System.Runtime.CompilerServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Elementary functions over vectors, each within a few units in the last place of the exact value.</summary>
/// <typeparam name="S">Tier.</typeparam>
/// <typeparam name="V">Vector of the tier.</typeparam>
internal static class VectorMath<S, V> where S : struct, ISimd<V> where V : struct
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>eˣ: x = n·ln 2 + r, a degree-7 polynomial in r (Cephes expf, Moshier), times 2ⁿ. Infinite above 88.73, 0 below −103.98.</summary>
    [MethodImpl(Inline)]
    public static V Exp(V x)
    {
        x = S.Min(S.Broadcast(100), S.Max(S.Broadcast(-110), x));
        var n = S.Round(S.Mul(x, S.Broadcast(1.44269504f)));
        // ln 2 in two parts: the first has few bits, so that n times it is exact.
        var r = S.Fma(n, S.Broadcast(-0.693359375f), x);
        r = S.Fma(n, S.Broadcast(2.12194440e-4f), r);
        var p = S.Fma(S.Broadcast(1.9875691500e-4f), r, S.Broadcast(1.3981999507e-3f));
        p = S.Fma(p, r, S.Broadcast(8.3334519073e-3f));
        p = S.Fma(p, r, S.Broadcast(4.1665795894e-2f));
        p = S.Fma(p, r, S.Broadcast(1.6666665459e-1f));
        p = S.Fma(p, r, S.Broadcast(5.0000001201e-1f));
        p = S.Fma(p, S.Mul(r, r), r);
        return S.Scale2(S.Add(p, S.Broadcast(1)), n);
    }

    /// <summary>1 / (1 + e⁻ˣ).</summary>
    [MethodImpl(Inline)]
    public static V Sigmoid(V x) => S.Div(S.Broadcast(1), S.Add(S.Broadcast(1), Exp(S.Sub(S.Zero, x))));

    /// <summary>tanh x: an odd polynomial below 0.625 (Cephes tanhf, Moshier), 1 − 2 / (e²ˣ + 1) above.</summary>
    [MethodImpl(Inline)]
    public static V Tanh(V x)
    {
        var a = S.Abs(x);
        var s = S.Mul(x, x);
        var p = S.Fma(S.Broadcast(-5.70498872745e-3f), s, S.Broadcast(2.06390887954e-2f));
        p = S.Fma(p, s, S.Broadcast(-5.37397155531e-2f));
        p = S.Fma(p, s, S.Broadcast(1.33314422036e-1f));
        p = S.Fma(p, s, S.Broadcast(-3.33332819422e-1f));
        var small = S.Fma(S.Mul(p, s), x, x);
        var large = S.Sub(S.Broadcast(1), S.Div(S.Broadcast(2), S.Add(Exp(S.Add(a, a)), S.Broadcast(1))));
        return S.SelectLess(a, S.Broadcast(0.625f), small, S.CopySign(large, x));
    }

    /// <summary>erfc(a) for a ≥ 0. The two polynomials are N. Juffa's for erff (0.995 ulp): erf(a) = a + a·P(a²), and 1 − erf(a) = exp(Q(a)).</summary>
    [MethodImpl(Inline)]
    public static V ErfcOfMagnitude(V a)
    {
        var s = S.Mul(a, a);
        var p = S.Fma(S.Broadcast(-5.96761703e-4f), s, S.Broadcast(4.99119423e-3f));
        p = S.Fma(p, s, S.Broadcast(-2.67681349e-2f));
        p = S.Fma(p, s, S.Broadcast(1.12819925e-1f));
        p = S.Fma(p, s, S.Broadcast(-3.76125336e-1f));
        p = S.Fma(p, s, S.Broadcast(1.28379166e-1f));
        var small = S.Sub(S.Broadcast(1), S.Fma(p, a, a));
        // Beyond 10.1 erfc is 0 in a float; the clamp keeps the polynomial from turning round.
        var t = S.Min(S.Broadcast(10.2f), a);
        var q = S.Fma(S.Broadcast(-1.72853470e-5f), t, S.Broadcast(3.83197126e-4f));
        var u = S.Fma(S.Broadcast(-3.88396438e-3f), t, S.Broadcast(2.42546219e-2f));
        q = S.Fma(q, S.Mul(t, t), u);
        q = S.Fma(q, t, S.Broadcast(-1.06777877e-1f));
        q = S.Fma(q, t, S.Broadcast(-6.34846687e-1f));
        q = S.Fma(q, t, S.Broadcast(-1.28717512e-1f));
        var large = Exp(S.Fma(q, t, S.Sub(S.Zero, t)));
        return S.SelectLess(a, S.Broadcast(0.927734375f), small, large);
    }

    /// <summary>x·Φ(x) = x·erfc(−x/√2)/2, from the smaller of the two tails, so that the negative side keeps its digits.</summary>
    [MethodImpl(Inline)]
    public static V Gelu(V x)
    {
        var half = S.Mul(S.Broadcast(0.5f), ErfcOfMagnitude(S.Abs(S.Mul(x, S.Broadcast(0.70710678f)))));
        return S.Mul(x, S.SelectLess(x, S.Zero, half, S.Sub(S.Broadcast(1), half)));
    }
}
