using System.Collections.Concurrent;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace VlmKernels.Kernels.Tests;

/// <summary>A backend under test: a name, and how to open it with a number of threads.</summary>
public sealed record BackendChoice(string Name, Func<int, IBackend> Open);

/// <summary>The backends that the op table runs on. They are thread-safe, so each is opened once per number of threads.</summary>
public static class Backends
{
    private static readonly ConcurrentDictionary<(string, int), Lazy<IBackend>> Opened = [];

    /// <summary>The reference and every CPU tier of this machine.</summary>
    public static IReadOnlyList<BackendChoice> All { get; } =
    [
        new("reference", _ => new ReferenceBackend()),
        .. Tiers.Available.Select(t => new BackendChoice(t.Name(), n => new CpuBackend(new CpuOptions { Tier = t, Threads = n }))),
    ];

    /// <summary>What all others are compared with.</summary>
    public static IBackend Reference { get; } = new ReferenceBackend();

    /// <summary>Theory rows.</summary>
    public static IEnumerable<string> Names => All.Select(b => b.Name);

    /// <summary>A shared backend by name.</summary>
    public static IBackend Get(string name, int threads = 2) =>
        Opened.GetOrAdd((name, threads), _ => new(() => All.First(b => b.Name == name).Open(threads))).Value;
}
