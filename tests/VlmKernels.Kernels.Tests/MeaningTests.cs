using VlmKernels.Testing.OpTable;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>Every operation on numbers small enough to check by hand: what the op table then compares other sizes with means what the contract says.</summary>
public class MeaningTests
{
    public static IEnumerable<TheoryDataRow<string>> All => Backends.Names.Select(n => new TheoryDataRow<string>(n));

    [Theory, MemberData(nameof(All))]
    public void Linear_adds_product_bias_and_residual_and_then_activates(string backend)
    {
        using var m = new Desk(backend);
        var w = m.Weight(WeightUse.Linear, 2, [3, 4, 5, -60], [10, 20]);
        Tensor x = m.F([1, 2], 1, 2), residual = m.F([100, 50], 1, 2);
        Assert.Equal([121, 0], m.Result([1, 2], (s, y) => s.Ops.Linear(new LinearArgs(x, w, y) { Epilogue = new(Activation.Relu, residual) })));
    }

    [Theory, MemberData(nameof(All))]
    public void MatMul_takes_w_by_rows_and_per_batch(string backend)
    {
        using var m = new Desk(backend);
        Tensor x = m.F([1, 2, 3, 4], 2, 1, 2), w = m.F([1, 10, 100, 1000, 2, 20, 200, 2000], 2, 2, 2);
        Assert.Equal([42, 4200, 172, 17200], m.Result([2, 1, 2], (s, y) => s.Ops.MatMul(new MatMulArgs(x, w, y, 2))));
        Assert.Equal([21, 2100, 43, 4300], m.Result([2, 1, 2], (s, y) => s.Ops.MatMul(new MatMulArgs(x, w.SliceRows(0, 2), y))));
    }

    [Theory, MemberData(nameof(All))]
    public void InnerProduct_compares_queries_with_stored_rows(string backend)
    {
        using var m = new Desk(backend);
        Tensor x = m.F([1, 2, 3, 4], 2, 2), rows = m.F([1, 10, 100, 1000, 0, -1], 3, 2), halves = m.Mapped<Half>([(Half)1, (Half)10, (Half)100, (Half)1000, (Half)0, (Half)(-1)], DType.F16, 3, 2);
        Assert.Equal([21, 2100, -2, 43, 4300, -4], m.Result([2, 3], (s, y) => s.Ops.InnerProduct(new InnerProductArgs(x, rows, y))));
        Assert.Equal([21, 2100, -2, 43, 4300, -4], m.Result([2, 3], (s, y) => s.Ops.InnerProduct(new InnerProductArgs(x, halves, y))));
    }

    [Theory, MemberData(nameof(All))]
    public void InnerProduct_widens_every_half_exactly(string backend)
    {
        using var m = new Desk(backend);
        Half[] codes = [.. Enumerable.Range(0, 1 << 16).Select(c => BitConverter.UInt16BitsToHalf((ushort)c))];
        Tensor one = m.F([1], 1, 1), rows = m.Mapped<Half>(codes, DType.F16, codes.Length, 1);
        Assert.Equal(codes.Select(c => (float)c), m.Result([1, codes.Length], (s, y) => s.Ops.InnerProduct(new InnerProductArgs(one, rows, y))));
        Tensor row = m.Mapped<Half>(codes, DType.F16, codes.Length / 32, 32);
        for (int lane = 0; lane < 32; lane++)
        {
            var unit = m.F([.. Enumerable.Range(0, 32).Select(i => i == lane ? 1f : 0f)], 1, 32);
            var expected = codes.Where((_, i) => i % 32 == lane).Select(c => (float)c);
            var found = m.Result([1, codes.Length / 32], (s, y) => s.Ops.InnerProduct(new InnerProductArgs(unit, row, y)));
            // Zero times what is no finite number is NaN in the lanes beside it.
            Assert.All(expected.Zip(found), p => Assert.True(p.First == p.Second || float.IsNaN(p.Second)));
        }
    }

    [Theory, MemberData(nameof(All))]
    public void TopK_takes_the_largest_first_and_of_equals_the_lower_column(string backend)
    {
        using var m = new Desk(backend);
        Tensor x = m.F([1, 3, 2, 3, 0, float.NaN, float.NegativeInfinity, 5, -0f, 0], 2, 5), ids = m.I(new int[6], 2, 3);
        Assert.Equal([3, 3, 2, float.NaN, 5, -0f], m.Result([2, 3], (s, y) => s.Ops.TopK(new TopKArgs(x, y, ids))));
        Assert.Equal([1, 3, 2, 0, 2, 3], m.Ints(ids));
    }

    [Theory, MemberData(nameof(All))]
    public void Conv2d_reads_its_kernel_by_channel_row_column(string backend)
    {
        using var m = new Desk(backend);
        var w = m.Weight(WeightUse.Conv, 1, [1, 2, 3, 4, 5, 6, 7, 8], [1000], 2);
        var x = m.F([1, 2, 3, 4, 5, 6, 7, 8], 1, 2, 2, 2);
        Assert.Equal([1190], m.Result([1, 1, 1, 1], (s, y) => s.Ops.Conv2d(new ConvArgs(x, w, y, new Stencil(2)))));
    }

    [Theory, MemberData(nameof(All))]
    public void Conv2d_pads_with_zeros_on_the_side_it_is_told(string backend)
    {
        using var m = new Desk(backend);
        var w = m.Weight(WeightUse.Conv, 1, [1, 10, 100, 1000], null, 2);
        var x = m.F([1, 2, 3, 4, 5, 6, 7, 8, 9], 1, 3, 3, 1);
        Assert.Equal([1000, 3200, 7040, 9865], m.Result([1, 2, 2, 1], (s, y) => s.Ops.Conv2d(new ConvArgs(x, w, y, new Stencil(2, 2, 1, 0)))));
        Assert.Equal([5421, 603, 87, 9], m.Result([1, 2, 2, 1], (s, y) => s.Ops.Conv2d(new ConvArgs(x, w, y, new Stencil(2, 2, 0, 1)))));
    }

    [Theory, MemberData(nameof(All))]
    public void PatchEmbed_puts_the_class_token_first_and_adds_positions_to_all(string backend)
    {
        using var m = new Desk(backend);
        var w = m.Weight(WeightUse.Patch, 1, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1000], 2);
        float[] pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
        Tensor x = m.F(pixels, 1, 2, 2, 3), one = m.F([5], 1), positions = m.F([1, 2], 2, 1);
        var args = new PatchEmbedArgs(x, w, default, 2) { ClassToken = one, Positions = positions };
        Assert.Equal([6, 1586], m.Result([1, 2, 1], (s, y) => s.Ops.PatchEmbed(args with { Y = y })));
        Tensor bytes = m.U([.. pixels.Select(p => (byte)p)], 1, 2, 2, 3), table = m.F([.. Enumerable.Range(0, 768).Select(i => 2f * (i % 256))], 3, 256);
        Assert.Equal([6, 2170], m.Result([1, 2, 1], (s, y) => s.Ops.PatchEmbed(args with { Y = y, Pixels = bytes, ByteTable = table })));
    }

    [Theory, MemberData(nameof(All))]
    public void PatchEmbed_goes_through_patches_row_by_row_and_leaves_the_rest_out(string backend)
    {
        using var m = new Desk(backend);
        var w = m.Weight(WeightUse.Patch, 1, [1, 0, 0], null, 1);
        var x = m.F([.. Enumerable.Range(0, 12).SelectMany(i => (float[])[i, 99, 99])], 1, 3, 4, 3);
        Assert.Equal(Enumerable.Range(0, 12).Select(i => (float)i), m.Result([1, 12, 1], (s, y) => s.Ops.PatchEmbed(new PatchEmbedArgs(x, w, y, 1))));
        var corner = m.Weight(WeightUse.Patch, 1, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], null, 2);
        Assert.Equal([0, 2], m.Result([1, 2, 1], (s, y) => s.Ops.PatchEmbed(new PatchEmbedArgs(x, corner, y, 2))));
    }

    [Theory, MemberData(nameof(All))]
    public void Attention_weighs_values_by_the_softmax_of_scaled_scores_per_head(string backend)
    {
        using var m = new Desk(backend);
        float log3 = MathF.Log(3);
        Tensor q = m.F([log3, 0], 1, 1, 2), k = m.F([1, 7, 0, 8], 1, 2, 2), v = m.F([4, 10, 8, 20], 1, 2, 2);
        AssertNear([5, 15], m.Result([1, 1, 2], (s, y) => s.Ops.Attention(new AttentionArgs(q, k, v, y, 2))));
        Tensor wide = m.F([2 * log3, 0, 0, 0], 1, 1, 4), keys = m.F([1, 0, 0, 0, 0, 0, 0, 0], 1, 2, 4), values = m.F([4, 4, 4, 4, 8, 8, 8, 8], 1, 2, 4);
        AssertNear([5, 5, 5, 5], m.Result([1, 1, 4], (s, y) => s.Ops.Attention(new AttentionArgs(wide, keys, values, y, 1))));
    }

    [Theory, MemberData(nameof(All))]
    public void A_mask_hides_keys_and_a_query_without_keys_gets_zeros(string backend)
    {
        using var m = new Desk(backend);
        Tensor q = m.F([0, 0, 0, 0], 2, 2, 1), k = m.F([0, 0, 0, 0], 2, 2, 1), v = m.F([2, 4, 20, 40], 2, 2, 1);
        float[] Mixed(Mask mask) => m.Result([2, 2, 1], (s, y) => s.Ops.Attention(new AttentionArgs(q, k, v, y, 1) { Mask = mask }));
        Tensor lengths = m.I([0, 1], 2), valid = m.U([0, 1, 1, 1], 2, 2);
        AssertNear([3, 3, 30, 30], Mixed(default));
        AssertNear([2, 3, 20, 30], Mixed(new Mask { Causal = true }));
        AssertNear([0, 0, 20, 20], Mixed(new Mask { KeyLength = lengths }));
        AssertNear([4, 4, 30, 30], Mixed(new Mask { KeyValid = valid }));
        AssertNear([0, 4, 20, 30], Mixed(new Mask { KeyValid = valid, Causal = true }));
    }

    [Theory, MemberData(nameof(All))]
    public void Consecutive_rows_of_q_share_keys(string backend)
    {
        using var m = new Desk(backend);
        Tensor q = m.F([0, 0, 0, 0], 4, 1, 1), k = m.F([0, 0], 2, 1, 1), v = m.F([2, 5], 2, 1, 1);
        AssertNear([2, 2, 5, 5], m.Result([4, 1, 1], (s, y) => s.Ops.Attention(new AttentionArgs(q, k, v, y, 1))));
    }

    [Theory, MemberData(nameof(All))]
    public void Norm_scales_rows_with_their_residual(string backend)
    {
        using var m = new Desk(backend);
        Tensor x = m.F([1, 2, 3, 0], 2, 2), residual = m.F([0, 1, 0, 4], 2, 2);
        var layer = new NormArgs(x, default, NormKind.LayerNorm, 0) { Residual = residual, Weight = m.F([10, 100], 2), Bias = m.F([1, 2], 2) };
        AssertNear([-9, 102, -9, 102], m.Result([2, 2], (s, y) => s.Ops.Norm(layer with { Y = y })));
        AssertNear([0.4472136f, 0.8944272f, 1, 0], m.Result([2, 2], (s, y) => s.Ops.Norm(new NormArgs(x, y, NormKind.L2, 1e-12f))));
    }

    [Theory, MemberData(nameof(All))]
    public void Combine_repeats_the_rows_of_b(string backend)
    {
        using var m = new Desk(backend);
        Tensor a = m.F([1, 2, 3, 4], 4, 1), b = m.F([10, 20], 2, 1);
        Assert.Equal([11, 22, 13, 24], m.Result([4, 1], (s, y) => s.Ops.Combine(new CombineArgs(a, b, y, CombineKind.Add))));
        Assert.Equal([10, 40, 30, 80], m.Result([4, 1], (s, y) => s.Ops.Combine(new CombineArgs(a, b, y, CombineKind.Multiply))));
    }

    [Theory, MemberData(nameof(All))]
    public void Reduce_takes_consecutive_rows(string backend)
    {
        using var m = new Desk(backend);
        var x = m.F([1, 10, 3, 30, 5, 50, 7, 70], 4, 2);
        Assert.Equal([4, 40, 12, 120], m.Result([2, 2], (s, y) => s.Ops.Reduce(new ReduceArgs(x, y, ReduceKind.Sum))));
        Assert.Equal([2, 20, 6, 60], m.Result([2, 2], (s, y) => s.Ops.Reduce(new ReduceArgs(x, y, ReduceKind.Mean))));
    }

    [Theory, MemberData(nameof(All))]
    public void Pool2d_counts_the_cells_that_exist(string backend)
    {
        using var m = new Desk(backend);
        var x = m.F([-1, -2, -3, -4], 1, 2, 2, 1);
        var around = new Stencil(2, 1, 1, 1);
        Assert.Equal([-1, -1.5f, -2, -2, -2.5f, -3, -3, -3.5f, -4], m.Result([1, 3, 3, 1], (s, y) => s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Average, around))));
        Assert.Equal([-1, -1, -2, -1, -1, -2, -3, -3, -4], m.Result([1, 3, 3, 1], (s, y) => s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Max, around))));
    }

    [Theory, MemberData(nameof(All))]
    public void Embed_adds_the_position_of_a_token_to_its_row(string backend)
    {
        using var m = new Desk(backend);
        var table = m.Weight(WeightUse.Table, 3, [1, 2, 3, 4, 5, 6], null);
        Tensor ids = m.I([2, 0, 1, 2], 2, 2), positions = m.F([10, 20, 30, 40], 2, 2);
        Assert.Equal([15, 26, 31, 42, 13, 24, 35, 46], m.Result([2, 2, 2], (s, y) => s.Ops.Embed(new EmbedArgs(ids, table, y) { Positions = positions })));
    }

    [Theory, MemberData(nameof(All))]
    public void CopyRows_moves_tokens_broadcasts_and_gathers(string backend)
    {
        using var m = new Desk(backend);
        Tensor x = m.F([1, 2, 3, 4, 5, 6], 2, 3, 1), one = m.F([7], 1, 1), index = m.I([5, 0], 2);
        Assert.Equal([7, 2, 3, 7, 5, 6], m.Result([2, 3, 1], (s, y) =>
        {
            s.Ops.CopyRows(CopyRowsArgs.Tokens(one, 0, 1, y, 0));
            s.Ops.CopyRows(CopyRowsArgs.Tokens(x, 1, 2, y, 1));
        }));
        Assert.Equal([6, 1], m.Result([2, 1], (s, y) => s.Ops.CopyRows(CopyRowsArgs.Gather(x, index, y))));
    }

    [Theory, MemberData(nameof(All))]
    public void PixelsToFloat_has_a_table_per_channel(string backend)
    {
        using var m = new Desk(backend);
        Tensor pixels = m.U([0, 1, 255], 1, 1, 1, 3), table = m.F([.. Enumerable.Range(0, 768).Select(i => (float)i)], 3, 256);
        Assert.Equal([0, 257, 767], m.Result([1, 1, 1, 3], (s, y) => s.Ops.PixelsToFloat(new PixelsArgs(pixels, table, y))));
    }

    private static void AssertNear(float[] expected, float[] found) => Assert.Null(OpRun.Difference(found, expected, 1e-6f));

    /// <summary>A session with short ways to bring in numbers and to read a result.</summary>
    [Theory, MemberData(nameof(All))]
    public void AppendKv_spreads_rows_evenly_and_Attention_finds_them_by_position_and_key_row(string backend)
    {
        using var m = new Desk(backend);
        using var cache = m.Cache(2, 4, 1, 1);
        // Row 0 alone is written, then one token of each row at slot 2; nothing is written to slot 3.
        Tensor prompt = m.F([5, 7], 1, 2, 1), step = m.F([30, 40], 2, 1, 1), zero = m.F([0, 0], 2, 1, 1), rows = m.I([0, 0, 0, 9, 0, 0, 1, 9], 2, 4);
        m.Do(s => s.Ops.AppendKv(new AppendKvArgs(cache, prompt, prompt)));
        m.Do(s => s.Ops.AppendKv(new AppendKvArgs(cache, step, step) { Positions = m.I([2, 2], 2) }));
        var mask = new Mask { Causal = true, QueryStart = m.I([2, 2], 2) };
        AssertNear([14, 52f / 3], m.Result([2, 1, 1], (s, y) => s.Ops.Attention(new AttentionArgs(zero, cache, y, 1) { Mask = mask, KeyRows = rows })));
        AssertNear([6], m.Result([1, 1, 1], (s, y) => s.Ops.Attention(new AttentionArgs(m.F([0], 1, 1, 1), cache, y, 1) { Mask = new Mask { KeyLength = m.I([2, 0], 2) } })));
        m.Do(s => s.Ops.AppendKv(new AppendKvArgs(cache, step, step)));
        Tensor three = m.F([0, 0, 0, 0], 4, 1, 1);
        AssertNear([30, 30, 40, 40], m.Result([4, 1, 1], (s, y) => s.Ops.Attention(new AttentionArgs(three, cache, y, 1) { Mask = new Mask { KeyLength = m.I([1, 1], 2) } })));
    }

    [Theory, MemberData(nameof(All))]
    public void Slots_and_rows_outside_a_cache_and_positions_outside_a_table_are_faults(string backend)
    {
        using var m = new Desk(backend);
        using var cache = m.Cache(1, 4, 1, 1);
        Tensor k = m.F([5, 7], 1, 2, 1), q = m.F([0], 1, 1, 1);
        foreach (int slot in (int[])[-1, 3, int.MaxValue])
        {
            Assert.Contains("do not fit 4 slots", Assert.Throws<ContractException>(() => m.Result([1], (s, y) => s.Ops.AppendKv(new AppendKvArgs(cache, k, k) { Positions = m.I([slot], 1) }))).Message, StringComparison.Ordinal);
        }
        var mask = new Mask { KeyLength = m.I([2], 1) };
        var fault = Assert.Throws<ContractException>(() => m.Result([1, 1, 1], (s, y) => s.Ops.Attention(new AttentionArgs(q, cache, y, 1) { Mask = mask, KeyRows = m.I([0, 1, 9, 9], 1, 4) })));
        Assert.Contains("key rows must be 0 to 0, found 1", fault.Message, StringComparison.Ordinal);
        var table = m.Weight(WeightUse.Table, 2, [1, 2], null);
        fault = Assert.Throws<ContractException>(() => m.Result([1, 1, 1], (s, y) => s.Ops.Embed(new EmbedArgs(m.I([0], 1, 1), table, y) { Positions = m.F([1, 2], 2, 1), PositionStart = m.I([2], 1) })));
        Assert.Contains("positions are 0 to 1, found", fault.Message, StringComparison.Ordinal);
    }

    private sealed class Desk(string backend) : IDisposable
    {
        private readonly Session _s = new(Backends.Get(backend));
        private readonly List<PackedWeight> _weights = [];
        private readonly List<Storage> _mapped = [];

        public Tensor F(float[] values, params ReadOnlySpan<int> shape) => In(values, _s.TakeFloat(shape));

        public Tensor I(int[] values, params ReadOnlySpan<int> shape) => In(values, _s.TakeInt(shape));

        public Tensor U(byte[] values, params ReadOnlySpan<int> shape) => In(values, _s.TakeBytes(shape));

        public Tensor Mapped<T>(T[] values, DType type, params ReadOnlySpan<int> shape) where T : unmanaged
        {
            using var memory = new HostMemory(values.Length * type.Size());
            memory.WriteArray(0, values, 0, values.Length);
            var tensor = Backends.Get(backend).Map(new MapRequest(memory, 0, new Shape(shape), type));
            _mapped.Add(tensor.Storage!);
            return tensor;
        }

        public int[] Ints(Tensor tensor)
        {
            int[] values = new int[tensor.Shape.Count];
            _s.CopyOut(tensor, values.AsSpan());
            return values;
        }

        public PackedWeight Weight(WeightUse use, int outputs, float[] values, float[]? bias, int kernel = 1)
        {
            _weights.Add(Backends.Get(backend).Pack(new PackRequest("w", use, new ArrayMatrix(values, outputs, values.Length / outputs), bias, kernel)));
            return _weights[^1];
        }

        public KvCache Cache(int rows, int capacity, int heads, int headDim) => _s.CreateKvCache(rows, capacity, heads, headDim);

        public void Do(Action<Session> enqueue) => enqueue(_s);

        public float[] Result(int[] shape, Action<Session, Tensor> enqueue)
        {
            var y = _s.Take(shape);
            enqueue(_s, y);
            float[] values = new float[y.Shape.Count];
            _s.CopyOut(y, values.AsSpan());
            return values;
        }

        public void Dispose()
        {
            _s.Dispose();
            _weights.ForEach(w => w.Dispose());
            _mapped.ForEach(m => m.Dispose());
        }

        private Tensor In<T>(T[] values, Tensor tensor) where T : unmanaged
        {
            _s.CopyIn<T>(values, tensor);
            return tensor;
        }
    }
}
