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
        if (a.Q.Rows == 0) return;
        // Rows that share keys and see the same ones are further queries of one row: the keys come from memory once.
        bool isShared = !a.Mask.Causal && a.KeyRows.IsNone && a.Q.Shape[0] % a.KeyBatch == 0;
        var limits = new KeyLimits
        {
            Batch = isShared ? a.KeyBatch : a.Q.Shape[0],
            KeyBatch = a.KeyBatch,
            Keys = a.Keys,
            Causal = a.Mask.Causal,
            QueryStart = (int*)CpuStorage.Address(a.Mask.QueryStart),
            KeyLength = (int*)CpuStorage.Address(a.Mask.KeyLength),
        };
        if (a.Cache is null) Run<S, V, TensorKeys>(q, a, limits, Tensors(a, limits, q.PanelWidth));
        else if (a.KeyRows.IsNone) Run<S, V, CachedKeys>(q, a, limits, new CachedKeys { Limits = limits, Cache = q.Own(a.Cache).View });
        else Run<S, V, GatheredKeys<S, V>>(q, a, limits, Gathered<S, V>(a, limits, q.Own(a.Cache)));
    }

    private static TensorKeys Tensors(in AttentionArgs a, KeyLimits limits, int panel) => new()
    {
        Limits = limits,
        K = CpuStorage.Floats(a.K),
        V = CpuStorage.Floats(a.V),
        PitchK = a.K.Pitch,
        PitchV = a.V.Pitch,
        HeadDim = a.Q.Columns / a.Heads,
        Panel = panel,
    };

    private static GatheredKeys<S, V> Gathered<S, V>(in AttentionArgs a, KeyLimits limits, CpuKvCache cache) where S : struct, ISimd<V> where V : struct
    {
        int* rows = (int*)CpuStorage.Address(a.KeyRows);
        for (int i = 0; i < limits.Batch; i++)
        {
            int keys = limits.Of(i).End(a.Q.Shape[1]);
            for (int t = 0; t < keys; t++)
            {
                int row = rows[((nint)i * a.KeyRows.Pitch) + t];
                if ((uint)row >= (uint)cache.Rows) throw new ContractException($"Attention: key rows must be 0 to {cache.Rows - 1}, found {row} for key {t}");
            }
        }
        return new GatheredKeys<S, V> { Cache = cache.View, Rows = rows, PitchRows = a.KeyRows.Pitch };
    }

    private static void Run<S, V, TKeys>(CpuQueue q, in AttentionArgs a, KeyLimits limits, TKeys source)
        where S : struct, ISimd<V> where V : struct where TKeys : unmanaged, IKeySource
    {
        int batch = limits.Batch, queries = a.Q.Rows / batch, headDim = a.Q.Columns / a.Heads;
        var job = new AttentionJob<S, V, TKeys>
        {
            Source = source,
            Limits = limits,
            Q = CpuStorage.Floats(a.Q),
            Y = CpuStorage.Floats(a.Y),
            PitchQ = a.Q.Pitch,
            PitchY = a.Y.Pitch,
            Queries = queries,
            Heads = a.Heads,
            HeadDim = headDim,
            Scale = a.Scale == 0 ? 1 / MathF.Sqrt(headDim) : a.Scale,
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
