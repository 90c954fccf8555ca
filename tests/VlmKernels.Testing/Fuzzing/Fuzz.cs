using System.Diagnostics;
using System.Globalization;

namespace VlmKernels.Testing;

/// <summary>
/// Runs thousands of damaged inputs; VLMKERNELS_FUZZ=1000000 runs as many as it says, VLMKERNELS_FUZZ_SEED starts elsewhere. Each must be read or
/// refused in little time and memory.
/// </summary>
public static class Fuzz
{
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    /// <summary>Runs the cases one after another.</summary>
    /// <param name="what">What messages call a case: <c>damaged picture</c>.</param>
    /// <param name="runs">How many, when VLMKERNELS_FUZZ does not say.</param>
    /// <param name="maxAllocated">Bytes of the managed heap that one case may ask for.</param>
    /// <param name="accepts">Reads the input of a seed: true when it was read, false when it was refused as documented; throws otherwise.</param>
    /// <returns>How many were read and how many refused, for people.</returns>
    /// <exception cref="InvalidOperationException">A case failed, took too long or too much memory; the message names its seed.</exception>
    public static async Task<string> Run(string what, int runs, long maxAllocated, Func<int, bool> accepts)
    {
        runs = Number("VLMKERNELS_FUZZ", runs);
        int first = Number("VLMKERNELS_FUZZ_SEED", 1), read = 0, current = 0;
        Task work = Task.Run(() =>
        {
            for (int i = 0; i < runs; i++)
            {
                Volatile.Write(ref current, i);
                if (Try(first + i, what, maxAllocated, accepts, again: true)) read++;
            }
        });
        // A case that never ends must fail the test, not stop it.
        for (int last = -1; await Task.WhenAny(work, Task.Delay(5 * MaxTime)) != work; last = Volatile.Read(ref current))
        {
            if (last == Volatile.Read(ref current)) throw new InvalidOperationException($"{what} with seed {first + last} does not end");
        }
        await work;
        return $"{runs} of {what} from seed {first}: {read} read, {runs - read} refused";
    }

    private static bool Try(int seed, string what, long maxAllocated, Func<int, bool> accepts, bool again)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
        TimeSpan computed = Environment.CpuUsage.TotalTime;
        bool read;
        try
        {
            read = accepts(seed);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{what} with seed {seed}: {e.GetType().Name}: {e.Message}", e);
        }
        // On a busy machine a case may wait long without doing anything.
        TimeSpan time = Stopwatch.GetElapsedTime(started), spent = Environment.CpuUsage.TotalTime - computed;
        if (spent < time) time = spent;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (time > MaxTime && again) return Try(seed, what, maxAllocated, accepts, again: false);
        if (time > MaxTime) throw new InvalidOperationException($"{what} with seed {seed} took {time}");
        if (allocated > maxAllocated) throw new InvalidOperationException($"{what} with seed {seed} allocated {allocated} bytes");
        return read;
    }

    private static int Number(string variable, int absent) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : absent;
}
