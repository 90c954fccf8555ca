using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Instruction-set tier of the CPU kernels.</summary>
public enum Tier
{
    /// <summary>Portable 128-bit vectors: SSE4.2, Arm NEON and everything else.</summary>
    Vector128,
    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,
    /// <summary>512-bit vectors (F, BW, DQ, VL).</summary>
    Avx512,
}

/// <summary>Which tiers this process can run.</summary>
public static class Tiers
{
    /// <summary>The widest tier that the processor and the runtime support.</summary>
    public static Tier Best => Avx512F.IsSupported && Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported ? Tier.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? Tier.Avx2
        : Tier.Vector128;

    /// <summary>All tiers up to the best, narrowest first.</summary>
    public static IEnumerable<Tier> Available => Enum.GetValues<Tier>().Where(t => t <= Best);

    /// <summary>Name used by options and reports: <c>avx512</c>, <c>avx2</c>, <c>vector128</c>.</summary>
    public static string Name(this Tier tier) => tier switch { Tier.Avx512 => "avx512", Tier.Avx2 => "avx2", _ => "vector128" };

    /// <summary>Reads a tier's name.</summary>
    /// <exception cref="ArgumentException">The name is unknown, or this machine lacks the tier.</exception>
    public static Tier Parse(string name)
    {
        foreach (var tier in Enum.GetValues<Tier>())
        {
            if (tier.Name() != name) continue;
            return tier <= Best ? tier : throw new ArgumentException($"isa {name} is not available: this machine and runtime offer {string.Join(", ", Available.Select(Name))}");
        }
        throw new ArgumentException($"isa {name} is unknown: expected avx512, avx2 or vector128");
    }
}
