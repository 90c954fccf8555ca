using System.Diagnostics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>What the machine can do at this moment: medians over samples of some milliseconds, as kernels are timed.</summary>
public static class CpuPeak
{
    private const double SampleSeconds = 0.004;

    /// <summary>Rate of multiply-adds from registers, in FLOP/s (two per multiply-add and lane).</summary>
    /// <param name="tier">Vector width.</param>
    /// <param name="threads">Threads that run at once.</param>
    /// <param name="seconds">Time to measure for, about.</param>
    /// <exception cref="ArgumentException">The tier is not available here.</exception>
    public static double FmaRate(Tier tier, int threads, double seconds = 0.05)
    {
        using var load = PeakLoad.Fma(tier, threads);
        return Rate(load, seconds);
    }

    /// <summary>Rate at which memory that lies in no cache is read, in bytes per second.</summary>
    /// <param name="threads">Threads that read at once.</param>
    /// <param name="seconds">Time to measure for, about.</param>
    public static double ReadRate(int threads, double seconds = 0.2)
    {
        using var load = PeakLoad.Read(threads);
        return Rate(load, seconds);
    }

    private static double Rate(PeakLoad load, double seconds)
    {
        load.Run();
        var rates = new List<double>();
        for (var total = Stopwatch.StartNew(); total.Elapsed.TotalSeconds < seconds || rates.Count == 0;)
        {
            int runs = 0;
            var watch = Stopwatch.StartNew();
            for (; runs == 0 || watch.Elapsed.TotalSeconds < SampleSeconds; runs++) load.Run();
            rates.Add(load.Amount * runs / watch.Elapsed.TotalSeconds);
        }
        rates.Sort();
        return rates[rates.Count / 2];
    }
}
