namespace VlmKernels.Inputs;

/// <summary>
/// The taps of one resize pass: for every output position the first source position, the number of taps and their weights
/// (Pillow's <c>precompute_coeffs</c> and <c>normalize_coeffs_8bpc</c>).
/// </summary>
internal sealed class ResizeWeights
{
    /// <summary>Fraction bits of the integer weights: 8 bits of pixel and 2 of head room are left of 32.</summary>
    public const int PrecisionBits = 22;

    private readonly double[] exact;

    /// <summary>Weights for output positions <paramref name="offset"/> to offset + count - 1 of a pass from <paramref name="input"/> to <paramref name="output"/> pixels.</summary>
    public ResizeWeights(int input, int output, ResizeFilter filter, int offset, int count)
    {
        double scale = (double)input / output, stretch = Math.Max(scale, 1), support = ResizeKernel.Support(filter) * stretch;
        Taps = (int)Math.Ceiling(support) * 2 + 1;
        Starts = new int[count];
        Counts = new int[count];
        exact = new double[count * Taps];
        Fixed = new int[count * Taps];
        for (int i = 0; i < count; i++)
        {
            double center = (i + offset + 0.5) * scale;
            int first = Math.Max(0, (int)(center - support + 0.5));
            int end = Math.Min(input, (int)(center + support + 0.5));
            Fill(i, first, end - first, filter, center, 1 / stretch);
        }
    }

    /// <summary>The most taps of one output position; row length of <see cref="Fixed"/> and <see cref="Exact"/>.</summary>
    public int Taps { get; }

    /// <summary>First source position of each output position.</summary>
    public int[] Starts { get; }

    /// <summary>Number of taps of each output position.</summary>
    public int[] Counts { get; }

    /// <summary>[count, taps] weights times 2^22, rounded half away from zero.</summary>
    public int[] Fixed { get; }

    /// <summary>[count, taps] weights that sum to 1.</summary>
    public ReadOnlySpan<double> Exact => exact;

    private void Fill(int i, int first, int taps, ResizeFilter filter, double center, double shrink)
    {
        (Starts[i], Counts[i]) = (first, taps);
        Span<double> weights = exact.AsSpan(i * Taps, taps);
        double sum = 0;
        for (int t = 0; t < taps; t++) sum += weights[t] = ResizeKernel.Weight(filter, (t + first - center + 0.5) * shrink);
        for (int t = 0; t < taps; t++)
        {
            if (sum != 0) weights[t] /= sum;
            double scaled = weights[t] * (1 << PrecisionBits);
            Fixed[i * Taps + t] = (int)(weights[t] < 0 ? scaled - 0.5 : scaled + 0.5);
        }
    }
}
