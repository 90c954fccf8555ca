using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Diagnosers;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Testing.OpTable;

namespace VlmKernels.Perf;

/// <summary>BenchmarkDotNet over the large rows of the op table, for people who tune a kernel: statistics, allocation, disassembly.</summary>
[MemoryDiagnoser]
[DisassemblyDiagnoser(maxDepth: 4)]
public class OpSuite : IDisposable
{
    private readonly CpuBackend _backend = new();
    private PreparedCase? _prepared;

    /// <summary>Rows to choose from.</summary>
    public static IEnumerable<OpCase> Cases => Table.All.Where(c => !c.Tiny);

    /// <summary>The row.</summary>
    [ParamsSource(nameof(Cases))]
    public OpCase Case { get; set; } = null!;

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Setup() => _prepared = new OpPerfCase(Case).Prepare(_backend, _backend.Threads);

    /// <summary>One call.</summary>
    [Benchmark]
    public void Run() => _prepared!.Run();

    /// <inheritdoc/>
    [GlobalCleanup]
    public void Dispose()
    {
        _prepared?.Dispose();
        _backend.Dispose();
        GC.SuppressFinalize(this);
    }
}
