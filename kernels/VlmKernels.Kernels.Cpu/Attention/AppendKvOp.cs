namespace VlmKernels.Kernels.Cpu;

/// <summary><see cref="IOps.AppendKv"/>: keys go into the lanes of their panels, values into rows.</summary>
internal static unsafe class AppendKvOp
{
    public static void Run(CpuQueue q, in AppendKvArgs a)
    {
        var cache = q.Own(a.Cache);
        int batch = a.K.Shape[0], tokens = a.K.Shape[1];
        if (batch == 0 || tokens == 0) return;
        var job = new AppendJob
        {
            Cache = cache.View,
            K = CpuStorage.Floats(a.K),
            V = CpuStorage.Floats(a.V),
            PitchK = a.K.Pitch,
            PitchV = a.V.Pitch,
            Positions = (int*)CpuStorage.Address(a.Positions),
            Tokens = tokens,
            Step = cache.Rows / batch,
            Panel = cache.Panel,
        };
        for (int i = 0; i < batch && job.Positions is not null; i++)
        {
            int position = job.Positions[i];
            if (position < 0 || position > cache.Capacity - tokens) throw new ContractException($"AppendKv: {tokens} tokens from slot {position} of row {i} do not fit {cache.Capacity} slots");
        }
        RowJobs.Run(q, job, batch * cache.Heads, 4L * sizeof(float) * tokens * cache.HeadDim);
    }

    private struct AppendJob : IRowJob
    {
        public CacheView Cache;
        public float* K, V;
        public int* Positions;
        public nint PitchK, PitchV;
        public int Tokens, Step, Panel;

        public readonly void Run(int first, int end)
        {
            for (int i = first; i < end; i++) Head(i / Cache.Heads, i % Cache.Heads);
        }

        private readonly void Head(int row, int head)
        {
            int position = Positions is null ? 0 : Positions[row], dim = Cache.HeadDim;
            nint token = (nint)row * Tokens, column = (nint)head * dim;
            float* keys = Cache.Keys(row * Step, head), values = Cache.Values(row * Step, head) + ((nint)position * dim);
            for (int t = 0; t < Tokens; t++)
            {
                long bytes = (long)sizeof(float) * dim;
                Buffer.MemoryCopy(V + ((token + t) * PitchV) + column, values + ((nint)t * dim), bytes, bytes);
            }
            for (int t = 0; t < Tokens;)
            {
                int slot = position + t, lane = slot % Panel, count = Math.Min(Panel - lane, Tokens - t);
                Lanes(K + ((token + t) * PitchK) + column, count, keys + ((nint)(slot - lane) * dim), lane);
                t += count;
            }
        }

        /// <summary>Some neighbouring keys of one panel; the other lanes stay.</summary>
        private readonly void Lanes(float* k, int count, float* panel, int lane)
        {
            if (count == Panel)
            {
                float** rows = stackalloc float*[Panel];
                for (int r = 0; r < Panel; r++) rows[r] = k + (r * PitchK);
                TilePacker.Pack(rows, Panel, Cache.HeadDim, panel, Panel);
                return;
            }
            for (int r = 0; r < count; r++)
            {
                float* from = k + (r * PitchK), to = panel + lane + r;
                for (int d = 0; d < Cache.HeadDim; d++) to[(nint)d * Panel] = from[d];
            }
        }
    }
}
