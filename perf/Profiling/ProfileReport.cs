using System.Diagnostics;
using System.Globalization;
using VlmKernels.Kernels.Cpu;

namespace VlmKernels.Perf;

/// <summary>Where the time of one case goes: every operation at every shape, with its share, rates and distance from the machine's peaks.</summary>
/// <param name="tier">Vector width.</param>
/// <param name="threads">Threads that compute.</param>
/// <param name="seconds">Time to measure for, about.</param>
internal sealed class ProfileReport(Tier tier, int threads, double seconds)
{
    /// <summary>Profiles a case.</summary>
    public void Run(PerfCase @case, TextWriter log)
    {
        var profile = new Profile();
        using var cpu = new CpuBackend(new CpuOptions { Tier = tier, Threads = threads });
        using var backend = new ProfilingBackend(cpu, profile);
        using var prepared = @case.Prepare(backend, threads);
        using var fma = PeakLoad.Fma(tier, threads);
        // Multiply-adds run between the passes: their rate is what the machine could do meanwhile.
        TimeSpan passes = default, adds = default;
        int count = 0, loads = 0;
        for (; count == 0 || passes.TotalSeconds < seconds; count++)
        {
            Interleaved.Settle();
            prepared.Run();
            profile.IsOn = true;
            passes += Timed(prepared.Run);
            profile.IsOn = false;
            Interleaved.Settle();
            fma.Run();
            for (; adds < passes; loads++) adds += Timed(fma.Run);
        }
        double peak = fma.Amount * loads / adds.TotalSeconds, read = CpuPeak.ReadRate(threads), pass = passes.TotalMilliseconds / count;
        log.WriteLine(Text($"{@case.Name}, batch {@case.Batch}, {tier.Name()}, {threads} threads: {pass:G4} ms a pass, {100 * prepared.Cost.Flops / (pass / 1000) / peak:F1} % of {peak / 1e9:F0} GFLOP/s; reads {read / 1e9:F1} GB/s"));
        log.WriteLine($"{"operation",-62} {"calls",5} {"ms",9} {"share",6} {"GFLOP/s",8} {"of peak",7} {"GB/s",7} {"roofline",8}");
        double known = 0;
        foreach (var ((op, shape), entry) in profile.Entries.OrderByDescending(e => e.Entry.Ticks))
        {
            double ms = 1000.0 * entry.Ticks / Stopwatch.Frequency / count, perSecond = count * ms / 1000;
            double flops = entry.Cost.Flops / perSecond, bytes = entry.Cost.Bytes / perSecond;
            known += ms;
            log.WriteLine(Text($"{op + " " + shape,-62} {entry.Calls / count,5} {ms,9:F3} {100 * ms / pass,5:F1}% {flops / 1e9,8:F1} {100 * flops / peak,6:F1}% {bytes / 1e9,7:F1} {100 * Math.Max(flops / peak, bytes / read),7:F0}%"));
        }
        log.WriteLine(Text($"{"outside of operations",-68} {pass - known,9:F3} {100 * (pass - known) / pass,5:F1}%"));
    }

    private static TimeSpan Timed(Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(start);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
