using System.Diagnostics;

namespace VlmKernels.Perf;

/// <summary>Time of one contender.</summary>
/// <param name="Milliseconds">Median of all rounds.</param>
/// <param name="SpreadPercent">Distance between the first and third quartile, in percent of the median.</param>
internal readonly record struct Timing(double Milliseconds, double SpreadPercent);

/// <summary>Times contenders in turns (A, B, A, B …), so that a machine that slows down slows all of them.</summary>
internal static class Interleaved
{
    private const double SampleSeconds = 0.004;
    private const int FewestRounds = 5;
    private const int SettleMilliseconds = 20;

    /// <summary>Runs every contender in rounds for about <paramref name="seconds"/> in all.</summary>
    public static Timing[] Measure(IReadOnlyList<Action> contenders, double seconds)
    {
        int[] repeats = [.. contenders.Select(Repeats)];
        var samples = contenders.Select(_ => new List<double>()).ToArray();
        var total = Stopwatch.StartNew();
        while (total.Elapsed.TotalSeconds < seconds || samples[0].Count < FewestRounds)
        {
            for (int c = 0; c < contenders.Count; c++)
            {
                if (contenders.Count > 1) Settle(contenders[c]);
                samples[c].Add(Sample(contenders[c], repeats[c]));
            }
        }
        return [.. samples.Select(Summarise)];
    }

    /// <summary>Lets the threads of the contender before stop spinning, then brings this one's weights back into the caches.</summary>
    private static void Settle(Action run)
    {
        Thread.Sleep(SettleMilliseconds);
        run();
    }

    /// <summary>Runs once to warm up, then finds how often a call must repeat to be long enough for the clock.</summary>
    private static int Repeats(Action run)
    {
        for (int i = 0; i < 3; i++) run();
        double once = Sample(run, 1);
        return (int)Math.Clamp(SampleSeconds / Math.Max(once, 1e-7), 1, 100_000);
    }

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
