using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;

namespace VlmKernels.Models.Tests;

/// <summary>Every backend that this machine runs.</summary>
internal static class Backends
{
    private const string Reference = "reference";

    public static IEnumerable<string> Names => [Reference, .. Tiers.Available.Select(t => t.Name())];

    public static IBackend Make(string name, int threads = 2) => name == Reference ? new ReferenceBackend() : new CpuBackend(new CpuOptions { Tier = Tiers.Parse(name), Threads = threads });
}
