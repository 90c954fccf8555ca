namespace VlmKernels.Kernels.Cpu;

/// <summary>How a <see cref="CpuBackend"/> runs.</summary>
public sealed record CpuOptions
{
    /// <summary>Threads that compute, the caller included; by default one per physical core.</summary>
    public int Threads { get; init; } = CpuInfo.PhysicalCores;

    /// <summary>Instruction-set tier; by default the widest available.</summary>
    public Tier Tier { get; init; } = Tiers.Best;
}
