namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Attention with a streaming softmax (Milakov and Gimelshein 2018; Dao et al. 2022): keys are taken in fixed blocks from position 0, with
/// a running maximum and sum per query, and scores never leave the first-level cache. A block without a visible key changes nothing.
/// Both products are the micro-kernel of the linear layers.
/// </summary>
internal unsafe struct AttentionJob<S, V, TKeys> : IJob where S : struct, ISimd<V> where V : struct where TKeys : unmanaged, IKeySource
{
    /// <summary>Keys of a block; a multiple of every tier's panel.</summary>
    private static int Block => BlockRows.RowStride;

    public TKeys Source;
    public KeyLimits Limits;
    public float* Q, Y, Scratch;
    public byte* KeyValid;
    public nint PitchQ, PitchY;
    public long ScratchStride;
    public int Queries, Heads, HeadDim, Parts;
    public float Scale;

    private static int Panel => 2 * S.Width;

    private readonly int PaddedDim => (HeadDim + Panel - 1) / Panel * Panel;

    /// <summary>Floats of scratch that a worker needs.</summary>
    public readonly long ScratchFloats() => Source.ScratchFloats + (MicroKernel.MaxRows<S, V>() * ((long)HeadDim + Block + PaddedDim));

    public readonly void Run(int item, int worker)
    {
        int head = item / Parts, part = item % Parts, row = head / Heads;
        nint column = (nint)(head % Heads) * HeadDim;
        float* scratch = Scratch + (worker * ScratchStride);
        var seen = Limits.Of(row);
        var keys = Source.Open(row, head % Heads, seen.End(Queries), scratch);
        byte* valid = KeyValid is null ? null : KeyValid + ((nint)Limits.KeyRow(row) * Limits.Keys);

        int tileRows = MicroKernel.MaxRows<S, V>(), tiles = (Queries + tileRows - 1) / tileRows;
        for (int t = tiles * part / Parts; t < tiles * (part + 1) / Parts; t++)
        {
            int first = (int)((long)Queries * t / tiles), rows = (int)((long)Queries * (t + 1) / tiles) - first;
            nint query = ((nint)row * Queries) + first;
            Tile(Q + (query * PitchQ) + column, first, rows, seen, keys, valid, scratch + Source.ScratchFloats, Y + (query * PitchY) + column);
        }
    }

    /// <summary>A few queries against all keys that any of them sees.</summary>
    private readonly void Tile(float* q, int first, int rows, KeyLimit seen, HeadKeys keys, byte* valid, float* scratch, float* y)
    {
        int maxRows = MicroKernel.MaxRows<S, V>();
        float* queries = scratch, scores = queries + (maxRows * HeadDim), sums = scores + (maxRows * Block);
        float* maximum = stackalloc float[maxRows], total = stackalloc float[maxRows];
        float** row = stackalloc float*[maxRows];
        for (int r = 0; r < rows; r++)
        {
            (maximum[r], total[r]) = (float.NegativeInfinity, 0);
            row[r] = q + (r * PitchQ);
        }
        TilePacker.Pack(row, rows, HeadDim, queries, rows);
        ScaleAll(queries, rows * HeadDim, Scale);
        for (int r = 0; r < rows; r++) row[r] = scores + (r * Block);
        new Span<float>(sums, rows * PaddedDim).Clear();

        int end = seen.End(first + rows);
        // While the keys of a block are at work its values are fetched, then the next block's keys: a decoder's cache comes from memory.
        nint step = Panel * sizeof(float);
        for (int start = 0; start < end; start += Block)
        {
            int count = Math.Min(Block, end - start);
            float* values = keys.Values + ((nint)start * HeadDim);
            byte* ahead = (byte*)values;
            for (int p = 0; p < count; p += Panel, ahead += step * HeadDim)
            {
                MicroKernel.Run<S, V, Packed>(rows, queries, keys.Panels + ((nint)(start + p) * HeadDim), Panel, HeadDim, null, 0, new TileEnd(scores + p, Block), ahead, step);
            }
            for (int r = 0; r < rows; r++)
            {
                int visible = Math.Clamp(seen.End(first + r + 1) - start, 0, count);
                if (valid is not null) Hide(row[r], valid + start, visible);
                Weigh(row[r], visible, count, ref maximum[r], ref total[r], sums + (r * PaddedDim));
            }
            ahead = (byte*)(keys.Panels + ((nint)Math.Min(start + Block, (end + Panel - 1) / Panel * Panel) * HeadDim));
            for (int d = 0; d < HeadDim; d += Panel, ahead += step * count)
            {
                MicroKernel.Run<S, V, BlockRows>(rows, scores, values + d, HeadDim, count, sums + d, PaddedDim, new TileEnd(sums + d, PaddedDim), ahead, step);
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
        int whole = seen / S.Width * S.Width;
        for (int i = 0; i < whole; i += S.Width) largest = S.Max(largest, S.Load(scores + i));
        if (whole < seen) largest = S.Max(largest, S.KeepFirst(S.Load(scores + whole), seen - whole, none));
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
        for (; at < whole; at += S.Width)
        {
            V e = VectorMath<S, V>.Exp(S.Sub(S.Load(scores + at), shift));
            S.Store(scores + at, e);
            sum = S.Add(sum, e);
        }
        if (at < seen)
        {
            V e = S.KeepFirst(VectorMath<S, V>.Exp(S.Sub(S.Load(scores + at), shift)), seen - at, S.Zero);
            S.Store(scores + at, e);
            sum = S.Add(sum, e);
            at += S.Width;
        }
        for (; at < count; at += S.Width) S.Store(scores + at, S.Zero);
        if (before != now && total != 0)
        {
            float rescale = MathF.Exp(before - now);
            total *= rescale;
            ScaleAll(sums, PaddedDim, rescale);
        }
        total += S.Sum(sum);
        maximum = now;
    }

    private static void ScaleAll(float* x, int count, float scale)
    {
        V factor = S.Broadcast(scale);
        int i = 0;
        for (; i + S.Width <= count; i += S.Width) S.Store(x + i, S.Mul(S.Load(x + i), factor));
        for (; i < count; i++) x[i] *= scale;
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
