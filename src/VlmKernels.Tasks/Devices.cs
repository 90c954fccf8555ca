using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;

namespace VlmKernels.Tasks;

/// <summary>Where a model runs.</summary>
/// <param name="Device"><c>cpu</c> or <c>reference</c>.</param>
/// <param name="Isa">Instruction-set tier of the CPU: <c>avx512</c>, <c>avx2</c>, <c>vector128</c>; null: the widest available.</param>
/// <param name="Threads">Threads that compute; null: one per physical core.</param>
public sealed record DeviceOptions(string Device = Devices.Cpu, string? Isa = null, int? Threads = null);

/// <summary>The composition root: the only place that knows which backends there are.</summary>
public static class Devices
{
    /// <summary>The SIMD backend.</summary>
    public const string Cpu = "cpu";

    /// <summary>The plain reference: every op as its formula, slow.</summary>
    public const string Reference = "reference";

    /// <summary>All devices.</summary>
    public static IReadOnlyList<string> All { get; } = [Cpu, Reference];

    /// <summary>Opens a backend. There is no fall-back: what isn't there is an error.</summary>
    /// <exception cref="ArgumentException">The device or tier is unknown or not available, or an option does not belong to the device.</exception>
    public static IBackend Open(DeviceOptions? options = null)
    {
        options ??= new DeviceOptions();
        switch (options.Device)
        {
            case Cpu:
                var cpu = new CpuOptions();
                if (options.Isa is { } isa) cpu = cpu with { Tier = Tiers.Parse(isa) };
                if (options.Threads is { } threads) cpu = cpu with { Threads = threads };
                return new CpuBackend(cpu);
            case Reference:
                if (options.Isa is not null) throw new ArgumentException($"isa {options.Isa}: device reference has no instruction-set tiers");
                if (options.Threads is not null) throw new ArgumentException($"threads {options.Threads}: device reference runs on one thread");
                return new ReferenceBackend();
            default:
                throw new ArgumentException($"device {options.Device} is unknown: expected {string.Join(" or ", All)}");
        }
    }
}
