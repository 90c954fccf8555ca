using System.Runtime.Intrinsics;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Arguments of <see cref="IOps.Attention"/> to items of one head of one batch row (or a part of its queries).</summary>
internal static unsafe class AttentionOp
{
    public static void Run(CpuQueue q, in AttentionArgs a)
    {
        switch (q.Tier)
        {
            case Tier.Avx512: Run<Simd512, Vector512<float>>(q, a); break;
            case Tier.Avx2: Run<Simd256, Vector256<float>>(q, a); break;
            default: Run<Simd128, Vector128<float>>(q, a); break;
        }
    }

    private static void Run<S, V>(CpuQueue q, in AttentionArgs a) where S : struct, ISimd<V> where V : struct
    {
        int batch = a.Q.Shape[0], queries = a.Q.Shape[1], keys = a.K.Shape[1], headDim = a.Q.Columns / a.Heads;
        if (batch == 0 || queries == 0) return;
        var job = new AttentionJob<S, V>
        {
            Q = CpuStorage.Floats(a.Q),
            K = CpuStorage.Floats(a.K),
            Values = CpuStorage.Floats(a.V),
            Y = CpuStorage.Floats(a.Y),
            PitchQ = a.Q.Pitch,
            PitchK = a.K.Pitch,
            PitchV = a.V.Pitch,
            PitchY = a.Y.Pitch,
            Queries = queries,
            Keys = keys,
            Heads = a.Heads,
            HeadDim = headDim,
            SharedBy = batch / a.K.Shape[0],
            Scale = a.Scale == 0 ? 1 / MathF.Sqrt(headDim) : a.Scale,
            Causal = a.Mask.Causal,
            KeyLength = (int*)CpuStorage.Address(a.Mask.KeyLength),
            KeyValid = CpuStorage.Address(a.Mask.KeyValid),
            Parts = Parts(batch * a.Heads, queries, q.Workers.Count),
        };
        job.Scratch = q.PerWorker(job.ScratchFloats());
        job.ScratchStride = q.PerWorkerStride;
        q.Workers.Run(ref job, batch * a.Heads * job.Parts);
    }

    /// <summary>Queries of a head are shared out only where heads alone cannot occupy the threads; every part brings the keys into panels again.</summary>
    private static int Parts(int heads, int queries, int workers)
        => workers == 1 || heads >= 2 * workers ? 1 : Math.Clamp(queries / 64, 1, ((2 * workers) + heads - 1) / heads);
}
