using System.Diagnostics;

namespace VlmKernels.Perf;

/// <summary>Time of one contender.</summary>
/// <param name="Milliseconds">Median of all rounds.</param>
/// <param name="SpreadPercent">Distance between the first and third quartile, in percent of the median.</param>
internal readonly record struct Timing(double Milliseconds, double SpreadPercent);

/// <summary>Times contenders in turns (A, B, A, B …), so that a machine that slows down slows all of them.</summary>
internal static class Interleaved
{
    private const double ShortestSample = 0.004, LongestSample = 0.1;
    private const int FewestRounds = 5;
    private const int SettleMilliseconds = 20;

    /// <summary>
    /// Runs every contender in rounds for about <paramref name="seconds"/> in all. All samples are about as long as a call of the first contender:
    /// on a shared machine the median of short samples is higher, because few of them meet a pause.
    /// </summary>
    public static Timing[] Measure(IReadOnlyList<Action> contenders, double seconds)
    {
        double sample = Math.Clamp(Warm(contenders[0]), ShortestSample, LongestSample);
        int[] repeats = [.. contenders.Select(c => Repeats(Warm(c), sample))];
        var samples = contenders.Select(_ => new List<double>()).ToArray();
        var total = Stopwatch.StartNew();
        while (total.Elapsed.TotalSeconds < seconds || samples[0].Count < FewestRounds)
        {
            for (int c = 0; c < contenders.Count; c++)
            {
                Settle();
                // Brings its weights back into the caches.
                contenders[c]();
                samples[c].Add(Sample(contenders[c], repeats[c]));
            }
        }
        return [.. samples.Select(Summarise)];
    }

    /// <summary>Lets the threads of the contender before stop spinning.</summary>
    public static void Settle() => Thread.Sleep(SettleMilliseconds);

    /// <summary>Runs a few times to warm up; returns the seconds of a call.</summary>
    private static double Warm(Action run)
    {
        for (int i = 0; i < 3; i++) run();
        return Sample(run, 1);
    }

    /// <summary>How often a call must repeat to fill a sample.</summary>
    private static int Repeats(double once, double sample) => (int)Math.Clamp(Math.Round(sample / Math.Max(once, 1e-7)), 1, 100_000);

    private static double Sample(Action run, int repeats)
    {
        var watch = Stopwatch.StartNew();
        for (int i = 0; i < repeats; i++) run();
        return watch.Elapsed.TotalSeconds / repeats;
    }

    private static Timing Summarise(List<double> seconds)
    {
        seconds.Sort();
        double median = seconds[seconds.Count / 2], low = seconds[seconds.Count / 4], high = seconds[seconds.Count * 3 / 4];
        return new Timing(1000 * median, 100 * (high - low) / median);
    }
}
