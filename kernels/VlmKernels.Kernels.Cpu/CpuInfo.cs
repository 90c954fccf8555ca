using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>What is known of the processor: cores and caches. Read from the system where it tells, else from the processor, else assumed.</summary>
public static class CpuInfo
{
    private const string Cpus = "/sys/devices/system/cpu";

    /// <summary>Physical cores that this process may use, at least 1.</summary>
    public static int PhysicalCores { get; } = CountCores();

    /// <summary>Size of one core's first-level data cache in bytes.</summary>
    public static long L1Bytes { get; } = Cache(level: 1, otherwise: 32 << 10);

    /// <summary>Size of one core's second-level cache in bytes.</summary>
    public static long L2Bytes { get; } = Cache(level: 2, otherwise: 512 << 10);

    /// <summary>Size of the third-level cache in bytes; 0 when there is none or it is unknown.</summary>
    public static long L3Bytes { get; } = Cache(level: 3, otherwise: 0);

    /// <summary>The processor's name, or its architecture.</summary>
    public static string Model { get; } = Find("/proc/cpuinfo", "model name") ?? System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>Groups the processors that this process may run on by the core they belong to; offline ones have no topology.</summary>
    private static int CountCores()
    {
        int logical = Environment.ProcessorCount;
        string allowed = Find("/proc/self/status", "Cpus_allowed_list") ?? "";
        int cores = Numbers(allowed).Select(i => ReadLine($"{Cpus}/cpu{i}/topology/thread_siblings_list")).OfType<string>().Distinct().Count();
        return Math.Max(1, cores == 0 ? logical : Math.Min(logical, cores));
    }

    /// <summary>The numbers of a list such as <c>0-3,8</c>.</summary>
    private static IEnumerable<int> Numbers(string list)
    {
        foreach (string part in list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            string[] ends = part.Split('-');
            if (!int.TryParse(ends[0], CultureInfo.InvariantCulture, out int first) || !int.TryParse(ends[^1], CultureInfo.InvariantCulture, out int last)) yield break;
            for (int i = first; i <= last; i++) yield return i;
        }
    }

    private static long Cache(int level, long otherwise)
    {
        for (int i = 0; ReadLine($"{Cpus}/cpu0/cache/index{i}/level") is { } found; i++)
        {
            if (found != level.ToString(CultureInfo.InvariantCulture)) continue;
            if (ReadLine($"{Cpus}/cpu0/cache/index{i}/type") == "Instruction") continue;
            if (ReadLine($"{Cpus}/cpu0/cache/index{i}/size") is { } size && TrySize(size, out long bytes)) return bytes;
        }
        return CacheFromProcessor(level) ?? otherwise;
    }

    /// <summary>
    /// CPUID: the list of caches in leaf 4 (Intel SDM volume 2, "Deterministic Cache Parameters") or 8000001D (AMD APM volume 3), which have one
    /// form, else AMD's older leaves. Virtual machines often have these where the system shows nothing.
    /// </summary>
    private static long? CacheFromProcessor(int level)
    {
        const int intel = 4, amd = unchecked((int)0x8000001D);
        if (!X86Base.IsSupported) return null;
        uint highest = (uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax;
        if (ListedCache(intel, level) is { } listed) return listed;
        if (highest >= unchecked((uint)amd) && ListedCache(amd, level) is { } extended) return extended;
        if (highest < 0x80000006) return null;
        long kibibytes = level switch
        {
            1 => (uint)X86Base.CpuId(unchecked((int)0x80000005), 0).Ecx >> 24,
            2 => (uint)X86Base.CpuId(unchecked((int)0x80000006), 0).Ecx >> 16,
            _ => 0,
        };
        return kibibytes == 0 ? null : kibibytes << 10;
    }

    private static long? ListedCache(int leaf, int level)
    {
        const int none = 0, instructions = 2, most = 16;
        for (int i = 0; i < most; i++)
        {
            var (eax, ebx, ecx, _) = X86Base.CpuId(leaf, i);
            int type = eax & 31;
            if (type == none) return null;
            if (type == instructions || ((eax >> 5) & 7) != level) continue;
            long line = (ebx & 0xFFF) + 1, partitions = ((ebx >> 12) & 0x3FF) + 1, ways = ((uint)ebx >> 22) + 1, sets = (uint)ecx + 1L;
            return line * partitions * ways * sets;
        }
        return null;
    }

    private static bool TrySize(string text, out long bytes)
    {
        int shift = text.EndsWith('K') ? 10 : text.EndsWith('M') ? 20 : 0;
        bool known = long.TryParse(text.AsSpan().TrimEnd("KM"), CultureInfo.InvariantCulture, out bytes);
        bytes <<= shift;
        return known;
    }

    private static string? Find(string file, string key)
    {
        if (!File.Exists(file)) return null;
        string? line = File.ReadLines(file).FirstOrDefault(l => l.StartsWith(key, StringComparison.Ordinal));
        return line?[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }

    private static string? ReadLine(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadLines(file).FirstOrDefault()?.Trim() : null;
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
