using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>What the machine can do at this moment: the yardstick that kernels are judged by, measured in the same run.</summary>
public static unsafe class CpuPeak
{
    private const int Chains = 12;
    private const long LeastReadBytes = 512L << 20, MostReadBytes = 1L << 30;

    /// <summary>Rate of multiply-adds from registers, in FLOP/s (two per multiply-add and lane).</summary>
    /// <param name="tier">Vector width.</param>
    /// <param name="threads">Threads that run at once.</param>
    /// <param name="seconds">Time to measure for, about.</param>
    /// <exception cref="ArgumentException">The tier is not available here.</exception>
    public static double FmaRate(Tier tier, int threads, double seconds = 0.05)
    {
        if (tier > Tiers.Best) throw new ArgumentException($"isa {tier.Name()} is not available: the widest here is {Tiers.Best.Name()}", nameof(tier));
        return tier switch
        {
            Tier.Avx512 => Rate<Simd512, Vector512<float>>(threads, seconds),
            Tier.Avx2 => Rate<Simd256, Vector256<float>>(threads, seconds),
            _ => Rate<Simd128, Vector128<float>>(threads, seconds),
        };
    }

    /// <summary>Rate at which memory that lies in no cache is read, in bytes per second.</summary>
    /// <param name="threads">Threads that read at once, each a part of its own.</param>
    /// <param name="seconds">Time to measure for, about.</param>
    public static double ReadRate(int threads, double seconds = 0.2)
    {
        // Far more than a core's share of any third-level cache; four times the whole of it where it is known and of ordinary size.
        using var memory = new CpuStorage(Math.Clamp(4 * CpuInfo.L3Bytes, LeastReadBytes, MostReadBytes));
        new Span<byte>(memory.Base, (int)memory.Bytes).Fill(1);
        using var workers = new Workers(threads);
        var job = new ReadJob { Memory = memory.Base, Part = memory.Bytes / threads / ReadJob.Step * ReadJob.Step };
        double best = 0;
        var total = Stopwatch.StartNew();
        while (total.Elapsed.TotalSeconds < seconds || best == 0)
        {
            var watch = Stopwatch.StartNew();
            workers.Run(ref job, threads);
            best = Math.Max(best, job.Part * threads / watch.Elapsed.TotalSeconds);
        }
        return best;
    }

    private static double Rate<S, V>(int threads, double seconds) where S : struct, ISimd<V> where V : struct
    {
        using var workers = new Workers(threads);
        var job = new FmaJob<S, V> { Steps = 1 << 16 };
        double best = 0;
        var total = Stopwatch.StartNew();
        while (total.Elapsed.TotalSeconds < seconds || best == 0)
        {
            var watch = Stopwatch.StartNew();
            workers.Run(ref job, threads);
            best = Math.Max(best, 2.0 * Chains * S.Width * job.Steps * threads / watch.Elapsed.TotalSeconds);
        }
        return best;
    }

    private struct FmaJob<S, V> : IJob where S : struct, ISimd<V> where V : struct
    {
        public long Steps;

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

    private struct ReadJob : IJob
    {
        /// <summary>Bytes per step: four vectors, so that loads do not wait for each other.</summary>
        public const int Step = 128;

        public byte* Memory;
        public long Part;

        public readonly void Run(int item, int worker)
        {
            byte* from = Memory + (item * Part);
            Vector256<int> a = default, b = default, c = default, d = default;
            for (long i = 0; i < Part; i += Step)
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
