using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>A query has the same bits whether its keys lie in tensors or in a cache, came at once or token by token, in one row or in several.</summary>
public class KvCacheTests
{
    private const int Heads = 2, Dim = 24, Width = Heads * Dim, Rows = 3;

    public static IEnumerable<TheoryDataRow<string, int>> Sizes =>
        from backend in Backends.Names from tokens in (int[])[1, 7, 33, 130, 300] select new TheoryDataRow<string, int>(backend, tokens);

    [Theory, MemberData(nameof(Sizes))]
    public void Cached_and_uncached_attention_have_the_same_bits(string backend, int tokens)
    {
        var qkv = new Tensors(backend, tokens);
        float[] expected = qkv.Uncached();
        Assert.Equal(OpRun.Bits(expected), OpRun.Bits(qkv.Cached([tokens], beams: false)));
        Assert.Equal(OpRun.Bits(expected), OpRun.Bits(qkv.Cached([.. Enumerable.Repeat(1, tokens)], beams: false)));
        int first = (tokens + 1) / 2;
        Assert.Equal(OpRun.Bits(expected), OpRun.Bits(qkv.Cached(first == tokens ? [first] : [first, tokens - first], beams: true)));
    }

    /// <summary>Random q, k, v of one text that several rows share.</summary>
    private sealed class Tensors(string backend, int tokens)
    {
        private readonly float[] _qkv = [.. Enumerable.Range(0, tokens * 3 * Width).Select(i => MathF.Sin(i * 1.7f) * 2)];

        public float[] Uncached()
        {
            using var s = new Session(Backends.Get(backend));
            Tensor qkv = In(s, 0, tokens, 1), y = s.Take(1, tokens, Width);
            s.Ops.Attention(new AttentionArgs(qkv.SliceColumns(0, Width), qkv.SliceColumns(Width, Width), qkv.SliceColumns(2 * Width, Width), y, Heads) { Mask = new Mask { Causal = true } });
            return Out(s, y);
        }

        /// <summary>The same, piece by piece. With beams every piece is written to all rows, and each key is looked up in another one.</summary>
        public float[] Cached(int[] pieces, bool beams)
        {
            int rows = beams ? Rows : 1, at = 0;
            using var s = new Session(Backends.Get(backend));
            using var cache = s.CreateKvCache(rows, tokens + 5, Heads, Dim);
            var keyRows = s.TakeInt(rows, tokens + 5);
            s.CopyIn<int>([.. Enumerable.Range(0, rows * (tokens + 5)).Select(i => (i * 7 / 3) % rows)], keyRows);
            var result = new List<float>();
            foreach (int piece in pieces)
            {
                Tensor qkv = In(s, at, piece, rows), y = s.Take(rows, piece, Width), start = s.TakeInt(rows);
                s.CopyIn<int>([.. Enumerable.Repeat(at, rows)], start);
                s.Ops.AppendKv(new AppendKvArgs(cache, qkv.SliceColumns(Width, Width), qkv.SliceColumns(2 * Width, Width)) { Positions = start });
                s.Ops.Attention(new AttentionArgs(qkv.SliceColumns(0, Width), cache, y, Heads) { Mask = new Mask { Causal = true, QueryStart = start }, KeyRows = beams ? keyRows : default });
                result.AddRange(Out(s, y)[^(piece * Width)..]);
                at += piece;
            }
            return [.. result];
        }

        private Tensor In(Session s, int first, int count, int rows)
        {
            var t = s.Take(rows, count, 3 * Width);
            float[] piece = _qkv[(first * 3 * Width)..((first + count) * 3 * Width)];
            s.CopyIn<float>([.. Enumerable.Repeat(piece, rows).SelectMany(p => p)], t);
            return t;
        }

        private static float[] Out(Session s, Tensor y)
        {
            float[] values = new float[y.Shape.Count];
            s.CopyOut(y, values.AsSpan());
            return values;
        }
    }
}
