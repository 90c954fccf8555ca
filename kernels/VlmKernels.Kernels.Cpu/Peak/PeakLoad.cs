using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Work that uses one resource of the machine fully and nothing else: what a kernel could reach. Time it in turns with the kernel, in samples of
/// equal length, so that both meet the same clock and the same neighbours.
/// </summary>
public abstract class PeakLoad : IDisposable
{
    private protected PeakLoad(int threads) => Workers = new Workers(threads);

    /// <summary>FLOPs or bytes of one run.</summary>
    public abstract double Amount { get; }

    private protected Workers Workers { get; }

    /// <summary>Multiply-adds from registers (two FLOPs per lane); a run takes about a millisecond.</summary>
    /// <exception cref="ArgumentException">The tier is not available here.</exception>
    public static PeakLoad Fma(Tier tier, int threads)
    {
        if (tier > Tiers.Best) throw new ArgumentException($"isa {tier.Name()} is not available: the widest here is {Tiers.Best.Name()}", nameof(tier));
        return tier switch
        {
            Tier.Avx512 => new FmaLoad<Simd512, Vector512<float>>(threads),
            Tier.Avx2 => new FmaLoad<Simd256, Vector256<float>>(threads),
            _ => new FmaLoad<Simd128, Vector128<float>>(threads),
        };
    }

    /// <summary>Reads memory that lies in no cache; a run takes some tens of milliseconds.</summary>
    public static PeakLoad Read(int threads) => new ReadLoad(threads);

    /// <summary>Does the work once.</summary>
    public abstract void Run();

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Workers.Dispose();
        GC.SuppressFinalize(this);
    }
}

/// <summary>Items of a few microseconds, so that a thread that loses its core for a while leaves the rest to the others.</summary>
internal sealed class FmaLoad<S, V>(int threads) : PeakLoad(threads) where S : struct, ISimd<V> where V : struct
{
    private const int Chains = 12, ItemsPerThread = 16;
    private const long Steps = 1 << 13;

    public override double Amount => 2.0 * Chains * S.Width * Steps * ItemsPerThread * Workers.Count;

    public override void Run()
    {
        var job = default(Job);
        Workers.Run(ref job, ItemsPerThread * Workers.Count);
    }

    private unsafe struct Job : IJob
    {
        public readonly void Run(int item, int worker)
        {
            float* sink = stackalloc float[S.Width];
            S.Store(sink, Chain(Steps, S.Broadcast(0.9999f), S.Broadcast(1e-4f)));
        }

        /// <summary>Twelve independent chains hide the latency of the two units.</summary>
        [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
        private static V Chain(long steps, V a, V b)
        {
            V c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
            for (; steps > 0; steps--)
            {
                c0 = S.Fma(c0, a, b);
                c1 = S.Fma(c1, a, b);
                c2 = S.Fma(c2, a, b);
                c3 = S.Fma(c3, a, b);
                c4 = S.Fma(c4, a, b);
                c5 = S.Fma(c5, a, b);
                c6 = S.Fma(c6, a, b);
                c7 = S.Fma(c7, a, b);
                c8 = S.Fma(c8, a, b);
                c9 = S.Fma(c9, a, b);
                c10 = S.Fma(c10, a, b);
                c11 = S.Fma(c11, a, b);
            }
            return S.Add(S.Add(S.Add(S.Add(c0, c1), S.Add(c2, c3)), S.Add(S.Add(c4, c5), S.Add(c6, c7))), S.Add(S.Add(c8, c9), S.Add(c10, c11)));
        }
    }
}

/// <summary>Every item reads its own part.</summary>
internal sealed unsafe class ReadLoad : PeakLoad
{
    private const long LeastBytes = 512L << 20, MostBytes = 1L << 30, ItemBytes = 4L << 20;

    private readonly CpuStorage _memory;

    public ReadLoad(int threads) : base(threads)
    {
        // Far more than a core's share of any third-level cache; four times the whole of it where it is known and of ordinary size.
        _memory = new CpuStorage(Math.Clamp(4 * CpuInfo.L3Bytes, LeastBytes, MostBytes) / ItemBytes * ItemBytes);
        new Span<byte>(_memory.Base, (int)_memory.Bytes).Fill(1);
    }

    public override double Amount => _memory.Bytes;

    public override void Run()
    {
        var job = new Job { Memory = _memory.Base };
        Workers.Run(ref job, (int)(_memory.Bytes / ItemBytes));
    }

    public override void Dispose()
    {
        base.Dispose();
        _memory.Dispose();
    }

    private struct Job : IJob
    {
        // Four vectors, so that loads do not wait for each other.
        private const int Step = 128;

        public byte* Memory;

        public readonly void Run(int item, int worker)
        {
            byte* from = Memory + (item * ItemBytes);
            Vector256<int> a = default, b = default, c = default, d = default;
            for (long i = 0; i < ItemBytes; i += Step)
            {
                a ^= Vector256.Load((int*)(from + i));
                b ^= Vector256.Load((int*)(from + i + 32));
                c ^= Vector256.Load((int*)(from + i + 64));
                d ^= Vector256.Load((int*)(from + i + 96));
            }
            // Keeps the loads alive: the memory holds no such pattern.
            if ((a ^ b ^ c ^ d).GetElement(0) == 12345) Environment.FailFast("the memory under measurement changed");
        }
    }
}
