using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>Every backend and tier that this machine has.</summary>
internal static class TestBackends
{
    public static TheoryData<string> Names => ["reference", .. Tiers.Available.Select(t => t.Name())];

    public static IBackend Open(string name, int threads = 2) => name == "reference" ? new ReferenceBackend() : new CpuBackend(new CpuOptions { Tier = Tiers.Parse(name), Threads = threads });
}
