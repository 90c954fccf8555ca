namespace VlmKernels.Kernels;

/// <summary>
/// erfc in double, relative error about 1e-15 until it underflows. Rational approximations and coefficients:
/// W. J. Cody, "Rational Chebyshev Approximations for the Error Function", Mathematics of Computation 23 (1969), 631–637,
/// as printed in his CALERF. Coefficients stand highest power first.
/// </summary>
internal static class ErrorFunction
{
    private const double InverseRootPi = 0.56418958354775628695;

    private static ReadOnlySpan<double> SmallTop => [1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3];

    private static ReadOnlySpan<double> SmallBottom => [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3];

    private static ReadOnlySpan<double> MiddleTop =>
    [
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1, 2.98635138197400131e2,
        8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3,
    ];

    private static ReadOnlySpan<double> MiddleBottom =>
    [
        1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ];

    private static ReadOnlySpan<double> LargeTop =>
        [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1, 1.60837851487422766e-2, 6.58749161529837803e-4];

    private static ReadOnlySpan<double> LargeBottom =>
        [1, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3];

    /// <summary>1 − erf(x), without the loss of digits that the subtraction has for large x.</summary>
    public static double Complement(double x)
    {
        double y = Math.Abs(x);
        if (y <= 0.46875) return 1 - (x * Polynomial(y * y, SmallTop) / Polynomial(y * y, SmallBottom));
        double tail = Gaussian(y) * (y <= 4 ? Polynomial(y, MiddleTop) / Polynomial(y, MiddleBottom) : Large(y));
        return x < 0 ? 2 - tail : tail;
    }

    private static double Large(double y)
    {
        double z = 1 / (y * y);
        return (InverseRootPi - (z * Polynomial(z, LargeTop) / Polynomial(z, LargeBottom))) / y;
    }

    /// <summary>exp(−y²) with y² split so that the rounding of the square is not magnified.</summary>
    private static double Gaussian(double y)
    {
        if (y > 28) return double.IsNaN(y) ? y : 0;
        double coarse = Math.Truncate(y * 16) / 16;
        return Math.Exp(-coarse * coarse) * Math.Exp(-(y - coarse) * (y + coarse));
    }

    private static double Polynomial(double x, ReadOnlySpan<double> coefficients)
    {
        double sum = 0;
        foreach (double c in coefficients) sum = (sum * x) + c;
        return sum;
    }
}
