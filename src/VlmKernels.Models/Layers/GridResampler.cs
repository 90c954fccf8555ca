namespace VlmKernels.Models;

/// <summary>How a table of positions is resampled.</summary>
public enum ResampleKernel
{
    /// <summary>Cubic convolution with a = −0.75 over four neighbours, edges repeated: <c>interpolate(mode="bicubic")</c> of PyTorch.</summary>
    Bicubic,
    /// <summary>Cubic convolution with a = −0.5, widened when shrinking, renormalised at the edges: the same with <c>antialias=True</c>, and Pillow.</summary>
    BicubicAntialias,
    /// <summary>Linear between two neighbours, edges repeated: <c>interpolate(mode="linear")</c>.</summary>
    Linear,
}

/// <summary>Resamples tables of learned positions to another grid, on the host, in double. Sample i of n lies at (i + ½)·from/n − ½ (align_corners false).</summary>
public static class GridResampler
{
    /// <summary>Resamples a grid [height, width] of rows.</summary>
    /// <param name="rows">The grid, row-major, <paramref name="columns"/> values per cell.</param>
    /// <param name="columns">Values per cell.</param>
    /// <param name="from">Height and width of the grid.</param>
    /// <param name="to">Height and width of the result.</param>
    /// <param name="kernel">The interpolation.</param>
    public static float[] Resample(ReadOnlySpan<float> rows, int columns, (int Height, int Width) from, (int Height, int Width) to, ResampleKernel kernel)
    {
        var source = new double[rows.Length];
        for (int i = 0; i < source.Length; i++) source[i] = rows[i];
        var across = Along(source, from.Height, from.Width, columns, Taps.Of(from.Width, to.Width, kernel));
        // The grid transposed in blocks: one row of it is one element of the vertical pass.
        var down = Along(across, 1, from.Height, to.Width * columns, Taps.Of(from.Height, to.Height, kernel));
        return Array.ConvertAll(down, v => (float)v);
    }

    /// <summary>Resamples a line of rows, as <see cref="ResampleKernel.Linear"/> does for text positions.</summary>
    public static float[] Resample(ReadOnlySpan<float> rows, int columns, int from, int to, ResampleKernel kernel) => Resample(rows, columns, (1, from), (1, to), kernel);

    /// <summary>Resamples the middle axis of [outer, taps.From, inner].</summary>
    private static double[] Along(double[] source, int outer, int length, int inner, Taps taps)
    {
        var result = new double[(long)outer * taps.Count * inner];
        for (int o = 0; o < outer; o++)
        {
            for (int i = 0; i < taps.Count; i++)
            {
                var target = result.AsSpan(((o * taps.Count) + i) * inner, inner);
                foreach (var (index, weight) in taps[i])
                {
                    var cell = source.AsSpan(((o * length) + index) * inner, inner);
                    for (int c = 0; c < inner; c++) target[c] += weight * cell[c];
                }
            }
        }
        return result;
    }

    /// <summary>For every output sample the input samples and their weights.</summary>
    private sealed class Taps
    {
        private readonly (int Index, double Weight)[][] _samples;

        private Taps((int, double)[][] samples) => _samples = samples;

        public int Count => _samples.Length;

        public (int Index, double Weight)[] this[int sample] => _samples[sample];

        public static Taps Of(int from, int to, ResampleKernel kernel)
        {
            double scale = (double)from / to;
            var samples = new (int, double)[to][];
            for (int i = 0; i < to; i++)
            {
                samples[i] = kernel switch
                {
                    ResampleKernel.Bicubic => Neighbours(((i + 0.5) * scale) - 0.5, from, first: -1, count: 4, x => Cubic(x, -0.75)),
                    ResampleKernel.Linear => Neighbours(Math.Max(0, ((i + 0.5) * scale) - 0.5), from, first: 0, count: 2, x => 1 - Math.Abs(x)),
                    _ => Antialiased((i + 0.5) * scale, from, Math.Max(1, scale)),
                };
            }
            return new Taps(samples);
        }

        private static (int, double)[] Neighbours(double at, int length, int first, int count, Func<double, double> weight)
        {
            var taps = new (int, double)[count];
            int floor = (int)Math.Floor(at);
            for (int t = 0; t < count; t++)
            {
                int index = floor + first + t;
                taps[t] = (Math.Clamp(index, 0, length - 1), weight(index - at));
            }
            return taps;
        }

        private static (int, double)[] Antialiased(double centre, int length, double stretch)
        {
            const double Support = 2;
            int first = Math.Max(0, (int)(centre - (Support * stretch) + 0.5));
            int end = Math.Min(length, (int)(centre + (Support * stretch) + 0.5));
            var taps = new (int, double)[end - first];
            double sum = 0;
            for (int t = 0; t < taps.Length; t++)
            {
                double weight = Cubic((first + t - centre + 0.5) / stretch, -0.5);
                taps[t] = (first + t, weight);
                sum += weight;
            }
            for (int t = 0; t < taps.Length; t++) taps[t].Item2 /= sum;
            return taps;
        }

        /// <summary>Keys' cubic convolution kernel (1981).</summary>
        private static double Cubic(double x, double a)
        {
            x = Math.Abs(x);
            if (x < 1) return ((((a + 2) * x) - (a + 3)) * x * x) + 1;
            return x < 2 ? ((((a * x) - (5 * a)) * x) + (8 * a)) * x - (4 * a) : 0;
        }
    }
}
