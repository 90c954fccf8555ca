using System.Diagnostics;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;

namespace VlmKernels.Tasks;

/// <summary>What this machine and build can do.</summary>
/// <param name="Isa">Tier in use: <c>avx512</c>, <c>avx2</c>, <c>vector128</c>.</param>
/// <param name="AvailableIsas">Tiers that can be asked for.</param>
/// <param name="Processor">Name of the processor.</param>
/// <param name="Cores">Physical cores that this process may use.</param>
/// <param name="Threads">Threads that compute by default.</param>
/// <param name="L1Bytes">First-level data cache of a core.</param>
/// <param name="L2Bytes">Second-level cache of a core.</param>
/// <param name="L3Bytes">Third-level cache; 0 = unknown.</param>
/// <param name="MemoryBytes">Memory that this process may use.</param>
/// <param name="PeakFlops">Measured multiply-add rate of all threads, FLOP/s.</param>
/// <param name="GemmFlops">Measured rate of a linear layer of ViT-B at batch 8 on all threads, FLOP/s.</param>
/// <param name="NativeCode">True in a NativeAOT build.</param>
/// <param name="Models">Models found by name.</param>
public sealed record DoctorReport(string Isa, IReadOnlyList<string> AvailableIsas, string Processor, int Cores, int Threads, long L1Bytes, long L2Bytes, long L3Bytes,
    long MemoryBytes, double PeakFlops, double GemmFlops, bool NativeCode, IReadOnlyList<(string Name, string Path)> Models)
{
    // Rows, outputs and inputs of the first MLP layer of ViT-B/32 at batch 8.
    private const int Rows = 400, Outputs = 3072, Inputs = 768;

    /// <summary>Looks and measures; takes about a second.</summary>
    /// <param name="options">Device cpu, with its tier and threads.</param>
    /// <exception cref="ArgumentException">A tier or number of threads that isn't there, or another device than the cpu.</exception>
    public static DoctorReport Measure(DeviceOptions options)
    {
        using var backend = Devices.Open(options);
        if (backend is not CpuBackend cpu) throw new ArgumentException($"device {options.Device}: the doctor looks at the cpu");
        return new DoctorReport(cpu.Tier.Name(), [.. Tiers.Available.Select(t => t.Name())], CpuInfo.Model, CpuInfo.PhysicalCores, cpu.Threads, CpuInfo.L1Bytes, CpuInfo.L2Bytes, CpuInfo.L3Bytes,
            GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, CpuPeak.FmaRate(cpu.Tier, cpu.Threads, 0.2), GemmRate(cpu), IsNativeCode, ModelCatalog.List());
    }

    /// <summary>Only the runtime with a JIT has a list of assemblies to load.</summary>
    private static bool IsNativeCode => AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") is null;

    private static double GemmRate(IBackend backend)
    {
        using var weight = backend.Pack(new PackRequest("doctor", WeightUse.Linear, new ArrayMatrix(new float[Outputs * Inputs], Outputs, Inputs)));
        using var session = new Session(backend);
        using var mark = session.Mark();
        Tensor x = session.Take(Rows, Inputs), y = session.Take(Rows, Outputs);
        session.CopyIn<float>(new float[Rows * Inputs], x);
        double best = double.PositiveInfinity;
        var total = Stopwatch.StartNew();
        while (total.Elapsed.TotalSeconds < 0.5 || double.IsInfinity(best))
        {
            var watch = Stopwatch.StartNew();
            session.Ops.Linear(new LinearArgs(x, weight, y));
            best = Math.Min(best, watch.Elapsed.TotalSeconds);
        }
        return 2.0 * Rows * Outputs * Inputs / best;
    }
}
