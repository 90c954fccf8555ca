namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Attention with a streaming softmax (Milakov and Gimelshein 2018; Dao et al. 2022): keys are taken in fixed blocks from position 0, with
/// a running maximum and sum per query, and scores never leave the first-level cache. A block without a visible key changes nothing.
/// Both products are the micro-kernel of the linear layers.
/// </summary>
internal unsafe struct AttentionJob<S, V> : IJob where S : struct, ISimd<V> where V : struct
{
    /// <summary>Keys of a block; a multiple of every tier's panel.</summary>
    private const int Block = 128;

    public float* Q, K, Values, Y, Scratch;
    public int* KeyLength;
    public byte* KeyValid;
    public nint PitchQ, PitchK, PitchV, PitchY;
    public long ScratchStride;
    public int Queries, Keys, Heads, HeadDim, SharedBy, Parts;
    public float Scale;
    public bool Causal;

    private static int Panel => 2 * S.Width;

    private readonly int PaddedDim => (HeadDim + Panel - 1) / Panel * Panel;

    private readonly int PaddedKeys => (Keys + Panel - 1) / Panel * Panel;

    /// <summary>Floats of scratch that a worker needs.</summary>
    public readonly long ScratchFloats() => ((long)PaddedKeys * HeadDim) + (MicroKernel.MaxRows<S, V>() * ((long)HeadDim + (2 * Block) + PaddedDim));

    public readonly void Run(int item, int worker)
    {
        int head = item / Parts, part = item % Parts;
        int b = head / Heads, keyRow = b / SharedBy;
        nint column = (nint)(head % Heads) * HeadDim;
        float* panels = Scratch + (worker * ScratchStride);
        int keys = KeyLength is null ? Keys : Math.Clamp(KeyLength[keyRow], 0, Keys);
        float* values = Values + ((nint)keyRow * Keys * PitchV) + column;
        PackKeys(K + ((nint)keyRow * Keys * PitchK) + column, keys, panels);
        byte* valid = KeyValid is null ? null : KeyValid + ((nint)keyRow * Keys);

        int tileRows = MicroKernel.MaxRows<S, V>(), tiles = (Queries + tileRows - 1) / tileRows;
        for (int t = tiles * part / Parts; t < tiles * (part + 1) / Parts; t++)
        {
            int first = (int)((long)Queries * t / tiles), rows = (int)((long)Queries * (t + 1) / tiles) - first;
            nint row = ((nint)b * Queries) + first;
            Tile(Q + (row * PitchQ) + column, first, rows, keys, panels, values, valid, Y + (row * PitchY) + column);
        }
    }

    private readonly void PackKeys(float* k, int keys, float* panels)
    {
        float** rows = stackalloc float*[Panel];
        for (int first = 0; first < keys; first += Panel)
        {
            int count = Math.Min(Panel, keys - first);
            for (int r = 0; r < count; r++) rows[r] = k + ((first + r) * PitchK);
            TilePacker.Pack(rows, count, HeadDim, panels + ((nint)first * HeadDim), Panel);
        }
    }

    /// <summary>A few queries against all keys that any of them sees.</summary>
    private readonly void Tile(float* q, int first, int rows, int keys, float* panels, float* values, byte* valid, float* y)
    {
        int maxRows = MicroKernel.MaxRows<S, V>();
        float* queries = panels + ((nint)PaddedKeys * HeadDim), scores = queries + (maxRows * HeadDim), weights = scores + (maxRows * Block), sums = weights + (maxRows * Block);
        float* maximum = stackalloc float[maxRows], total = stackalloc float[maxRows];
        float** row = stackalloc float*[maxRows];
        for (int r = 0; r < rows; r++)
        {
            (maximum[r], total[r]) = (float.NegativeInfinity, 0);
            row[r] = q + (r * PitchQ);
        }
        TilePacker.Pack(row, rows, HeadDim, queries, rows);
        for (int i = 0; i < rows * HeadDim; i++) queries[i] *= Scale;
        for (int r = 0; r < rows; r++) row[r] = scores + (r * Block);
        new Span<float>(sums, rows * PaddedDim).Clear();

        int end = Causal ? Math.Min(keys, first + rows) : keys;
        for (int start = 0; start < end; start += Block)
        {
            int count = Math.Min(Block, end - start);
            for (int p = 0; p < count; p += Panel)
            {
                MicroKernel.Run<S, V>(rows, queries, panels + ((nint)(start + p) * HeadDim), Panel, scores + p, Block, HeadDim, accumulate: false);
            }
            for (int r = 0; r < rows; r++)
            {
                int seen = Causal ? Math.Clamp(first + r + 1 - start, 0, count) : count;
                if (valid is not null) Hide(row[r], valid + start, seen);
                Weigh(row[r], seen, count, ref maximum[r], ref total[r], sums + (r * PaddedDim));
            }
            TilePacker.Pack(row, rows, count, weights, rows);
            for (int d = 0; d < HeadDim; d += Panel)
            {
                MicroKernel.Run<S, V>(rows, weights, values + (start * PitchV) + d, PitchV, sums + d, PaddedDim, count, accumulate: true);
            }
        }
        for (int r = 0; r < rows; r++) Finish(sums + (r * PaddedDim), total[r], y + (r * PitchY));
    }

    private static void Hide(float* scores, byte* valid, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (valid[i] == 0) scores[i] = float.NegativeInfinity;
        }
    }

    /// <summary>Scores of one query in one block to weights e^(score − maximum), 0 behind <paramref name="seen"/>; earlier sums are scaled to the new maximum.</summary>
    private readonly void Weigh(float* scores, int seen, int count, ref float maximum, ref float total, float* sums)
    {
        V largest = S.Broadcast(float.NegativeInfinity), none = largest;
        for (int i = 0; i < seen; i += S.Width) largest = S.Max(largest, S.KeepFirst(S.Load(scores + i), seen - i, none));
        float before = maximum, now = MathF.Max(before, S.MaxLane(largest));
        if (now == float.NegativeInfinity)
        {
            // The vector maximum forgets a NaN that is followed by a number; where nothing else is visible it must not turn into zeros.
            if (HasNaN(scores, seen)) now = float.NaN;
            else
            {
                new Span<float>(scores, count).Clear();
                return;
            }
        }
        V shift = S.Broadcast(now), sum = S.Zero;
        int at = 0;
        for (; at < seen; at += S.Width)
        {
            V e = S.KeepFirst(VectorMath<S, V>.Exp(S.Sub(S.Load(scores + at), shift)), seen - at, S.Zero);
            S.Store(scores + at, e);
            sum = S.Add(sum, e);
        }
        for (; at < count; at += S.Width) S.Store(scores + at, S.Zero);
        float rescale = before == now ? 1 : MathF.Exp(before - now);
        if (rescale != 1)
        {
            V factor = S.Broadcast(rescale);
            for (int d = 0; d < PaddedDim; d += S.Width) S.Store(sums + d, S.Mul(S.Load(sums + d), factor));
        }
        total = (total * rescale) + S.Sum(sum);
        maximum = now;
    }

    private static bool HasNaN(float* scores, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (float.IsNaN(scores[i])) return true;
        }
        return false;
    }

    private readonly void Finish(float* sums, float total, float* y)
    {
        V factor = S.Broadcast(total == 0 ? 0 : 1 / total);
        for (int d = 0; d < HeadDim; d += S.Width) S.StoreFirst(y + d, S.Mul(S.Load(sums + d), factor), Math.Min(S.Width, HeadDim - d));
    }
}
