using VlmKernels.Testing.OpTable;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>A wrong argument is refused before it is enqueued, in words that name the operation, the argument, what was expected and what was found.</summary>
public sealed class CheckedOpsTests : IDisposable
{
    private readonly PlanBackend _plan = new();
    private readonly Session _s;

    public CheckedOpsTests() => _s = new Session(_plan);

    public void Dispose()
    {
        _s.Dispose();
        _plan.Dispose();
    }

    [Fact]
    public void Linear()
    {
        var w = Weight(WeightUse.Linear, 32, 16);
        Tensor x = _s.Take(1, 5, 16), y = _s.Take(5, 32);
        Passes(s => s.Ops.Linear(new LinearArgs(x, w, y)));
        Refuses(s => s.Ops.Linear(new LinearArgs(_s.Take(1, 5, 8), w, y)), "Linear: x is [1, 5, 8], but fc takes 16 inputs");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, _s.Take(5, 31))), "Linear: y is [5, 31], but fc takes 32 outputs");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, _s.Take(4, 32))), "Linear: x is [1, 5, 16], but y is [4, 32]");
        Refuses(s => s.Ops.Linear(new LinearArgs(default, w, y)), "Linear: x is not given");
        Refuses(s => s.Ops.Linear(new LinearArgs(_s.TakeInt(5, 16), w, y)), "Linear: x must be F32, found I32 [5, 16]");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, null!, y)), "Linear: the weight is not given");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, Weight(WeightUse.Table, 32, 16), y)), "Linear: fc is packed for Table");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, y) { Epilogue = new(Residual: _s.Take(5, 16)) }), "Linear: y is [5, 32], but residual is [5, 16]");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, y with { Shape = new Shape(1_000_000, 32), Pitch = 32 })), "Linear: y F32 [1000000, 32] with pitch 32 reaches outside its memory");
    }

    [Fact]
    public void Linear_operands_overlap_only_as_documented()
    {
        var w = Weight(WeightUse.Linear, 16, 16);
        Tensor wide = _s.Take(5, 48), x = wide.SliceColumns(0, 16), y = wide.SliceColumns(16, 16);
        Passes(s => s.Ops.Linear(new LinearArgs(x, w, y) { Epilogue = new(Residual: y) }));
        Passes(s => s.Ops.Linear(new LinearArgs(x, w, y) { Epilogue = new(Residual: wide.SliceColumns(32, 16)) }));
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, x)), "Linear: x F32 [5, 16] overlaps y F32 [5, 16]");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, wide.SliceColumns(15, 16))), "Linear: x F32 [5, 16] overlaps y");
        Refuses(s => s.Ops.Linear(new LinearArgs(x, w, y) { Epilogue = new(Residual: wide.SliceColumns(20, 16)) }), "Linear: residual F32 [5, 16] overlaps y");
    }

    [Fact]
    public void MatMul()
    {
        Tensor x = _s.Take(2, 3, 8), w = _s.Take(2, 5, 8), y = _s.Take(2, 3, 5);
        Passes(s => s.Ops.MatMul(new MatMulArgs(x, w, y)));
        Passes(s => s.Ops.MatMul(new MatMulArgs(_s.Take(0, 3, 8), _s.Take(0, 5, 8), _s.Take(0, 3, 5))));
        Refuses(s => s.Ops.MatMul(new MatMulArgs(x, _s.Take(3, 5, 8), y)), "MatMul: w is [3, 5, 8], but x is [2, 3, 8]");
        Refuses(s => s.Ops.MatMul(new MatMulArgs(x, _s.Take(2, 5, 7), y)), "MatMul: w is [2, 5, 7], but x has 8 columns");
        Refuses(s => s.Ops.MatMul(new MatMulArgs(x, w, _s.Take(2, 3, 4))), "MatMul: y is [2, 3, 4], but w is [2, 5, 8]");
        Refuses(s => s.Ops.MatMul(new MatMulArgs(x, w, _s.Take(2, 4, 5))), "MatMul: y is [2, 4, 5], but x is [2, 3, 8]");
        Refuses(s => s.Ops.MatMul(new MatMulArgs(x, default, y)), "MatMul: w is not given");
    }

    [Fact]
    public void Caches()
    {
        using var cache = _plan.CreateKvCache(4, 10, 2, 8);
        Assert.Equal(2 * 4 * 4 * 10 * 16, _plan.CacheBytes);
        Tensor k = _s.Take(2, 3, 16), q = _s.Take(8, 1, 16), y = _s.Take(8, 1, 16);
        Passes(s => s.Ops.AppendKv(new AppendKvArgs(cache, k, k) { Positions = _s.TakeInt(2) }));
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(null!, k, k)), "AppendKv: the cache is not given");
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(cache, _s.Take(2, 3, 8), k)), "AppendKv: k is [2, 3, 8], but the cache has 2 heads of 8");
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(cache, k, _s.Take(2, 4, 16))), "AppendKv: v must be [2, 3, 16], found F32 [2, 4, 16]");
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(cache, _s.Take(3, 3, 16), _s.Take(3, 3, 16))), "AppendKv: 3 rows of k do not go evenly into 4 rows of the cache");
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(cache, _s.Take(2, 11, 16), _s.Take(2, 11, 16))), "AppendKv: k has 11 tokens, but the cache has 10 slots");
        Refuses(s => s.Ops.AppendKv(new AppendKvArgs(cache, k, k) { Positions = _s.TakeInt(3) }), "AppendKv: positions must hold 2 values, found I32 [3]");
        var good = new AttentionArgs(q, cache, y, 2) { KeyRows = _s.TakeInt(8, 10), Mask = new Mask { Causal = true, QueryStart = _s.TakeInt(8), KeyLength = _s.TakeInt(8) } };
        Passes(s => s.Ops.Attention(good));
        Refuses(s => s.Ops.Attention(good with { K = k, V = k }), "Attention: k and v are given beside a cache");
        Refuses(s => s.Ops.Attention(good with { Heads = 4 }), "Attention: q is [8, 1, 16] with 4 heads, but the cache has 2 heads of 8");
        Refuses(s => s.Ops.Attention(good with { KeyRows = _s.TakeInt(8, 9) }), "Attention: key rows must be [8, 10], found I32 [8, 9]");
        Refuses(s => s.Ops.Attention(good with { Mask = new Mask { KeyLength = _s.TakeInt(4) } }), "Attention: key length must hold 8 values, found I32 [4]");
        Refuses(s => s.Ops.Attention(good with { Mask = new Mask { QueryStart = _s.TakeInt(4) } }), "Attention: query start must hold 8 values, found I32 [4]");
        Refuses(s => s.Ops.Attention(new AttentionArgs(_s.Take(3, 1, 16), cache, _s.Take(3, 1, 16), 2)), "Attention: 3 rows of q do not share 4 rows of the cache evenly");
        Refuses(s => s.Ops.Attention(new AttentionArgs(q, _s.Take(8, 2, 16), _s.Take(8, 2, 16), y, 2) { KeyRows = _s.TakeInt(8, 2) }), "Attention: key rows are rows of a cache, which is not given");
        Assert.Contains("every extent must be positive", Assert.Throws<ContractException>(() => _plan.CreateKvCache(1, 0, 1, 1)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Conv2d()
    {
        var (w, same) = (Weight(WeightUse.Conv, 6, 36, 3), new Stencil(3, 1, 1, 1));
        Tensor x = _s.Take(1, 5, 7, 4), y = _s.Take(1, 5, 7, 6);
        Passes(s => s.Ops.Conv2d(new ConvArgs(x, w, y, same)));
        Refuses(s => s.Ops.Conv2d(new ConvArgs(_s.Take(1, 5, 7, 3), w, y, same)), "Conv2d: x is [1, 5, 7, 3] under a 3×3 kernel, but fc takes 36 inputs");
        Refuses(s => s.Ops.Conv2d(new ConvArgs(x, w, y, new Stencil(3, 2, 1, 1))), "Conv2d: y must be [1, 3, 4, 6], found F32 [1, 5, 7, 6]");
        Refuses(s => s.Ops.Conv2d(new ConvArgs(_s.Take(35, 4), w, y, same)), "Conv2d: x must be a dense map [b, h, w, c], found F32 [35, 4]");
        Refuses(s => s.Ops.Conv2d(new ConvArgs(x, w, y, new Stencil(3, 0, 1, 1))), "Conv2d: Stencil");
        Refuses(s => s.Ops.Conv2d(new ConvArgs(_s.Take(1, 1, 1, 4), w, y, new Stencil(3))), "does not fit [1, 1, 1, 4]");
        Refuses(s => s.Ops.Conv2d(new ConvArgs(x, w, y, same) { Epilogue = new(Residual: x) }), "Conv2d: y is [1, 5, 7, 6], but residual is [1, 5, 7, 4]");
    }

    [Fact]
    public void PatchEmbed()
    {
        var w = Weight(WeightUse.Patch, 8, 48, 4);
        Tensor bytes = _s.TakeBytes(2, 9, 8, 3), table = _s.TakeFloat(3, 256), y = _s.Take(2, 5, 8), one = _s.TakeFloat(8), positions = _s.TakeFloat(5, 8);
        var good = new PatchEmbedArgs(bytes, w, y, 4) { ByteTable = table, ClassToken = one, Positions = positions };
        Passes(s => s.Ops.PatchEmbed(good));
        Refuses(s => s.Ops.PatchEmbed(good with { Pixels = default }), "PatchEmbed: pixels are not given");
        Refuses(s => s.Ops.PatchEmbed(good with { Pixels = _s.TakeBytes(2, 9, 8, 4) }), "PatchEmbed: pixels must have 3 channels, found U8 [2, 9, 8, 4]");
        Refuses(s => s.Ops.PatchEmbed(good with { ByteTable = default }), "PatchEmbed: pixels are U8, and the byte table is none");
        Refuses(s => s.Ops.PatchEmbed(good with { ByteTable = _s.TakeFloat(256, 3) }), "PatchEmbed: byte table must be [3, 256], found F32 [256, 3]");
        Refuses(s => s.Ops.PatchEmbed(good with { ClassToken = default }), "PatchEmbed: y must be [2, 4, 8], found F32 [2, 5, 8]");
        Refuses(s => s.Ops.PatchEmbed(good with { ClassToken = _s.TakeFloat(9) }), "PatchEmbed: class token must hold 8 values, found F32 [9]");
        Refuses(s => s.Ops.PatchEmbed(good with { Positions = _s.TakeInt(5, 8) }), "PatchEmbed: positions must be F32, found I32 [5, 8]");
        Refuses(s => s.Ops.PatchEmbed(good with { Patch = 3 }), "PatchEmbed: patch 3 gives 27 inputs, but fc takes 48");
    }

    [Fact]
    public void Attention()
    {
        Tensor q = _s.Take(4, 3, 32), k = _s.Take(2, 5, 32), v = _s.Take(2, 5, 32), y = _s.Take(4, 3, 32);
        var good = new AttentionArgs(q, k, v, y, 2);
        Passes(s => s.Ops.Attention(good));
        Refuses(s => s.Ops.Attention(good with { Heads = 3 }), "Attention: 3 heads do not divide 32 columns");
        Refuses(s => s.Ops.Attention(good with { K = _s.Take(3, 5, 32), V = _s.Take(3, 5, 32) }), "Attention: 4 rows of q do not share 3 rows of k evenly");
        Refuses(s => s.Ops.Attention(good with { V = _s.Take(2, 6, 32) }), "Attention: v must be [2, 5, 32], found F32 [2, 6, 32]");
        Refuses(s => s.Ops.Attention(good with { K = _s.Take(2, 5, 16), V = _s.Take(2, 5, 16) }), "Attention: q is [4, 3, 32], but k is [2, 5, 16]");
        Refuses(s => s.Ops.Attention(good with { Y = q }), "Attention: q F32 [4, 3, 32] overlaps y");
        Refuses(s => s.Ops.Attention(good with { Mask = new Mask { KeyLength = _s.TakeInt(4) } }), "Attention: key length must hold 2 values, found I32 [4]");
        Refuses(s => s.Ops.Attention(good with { Mask = new Mask { KeyValid = _s.TakeInt(2, 5) } }), "Attention: key valid must be U8, found I32 [2, 5]");
        Refuses(s => s.Ops.Attention(good with { Q = q.Reshape(12, 32) }), "Attention: q must have three extents, found [12, 32]");
    }

    [Fact]
    public void Norm()
    {
        Tensor x = _s.Take(3, 8), y = _s.Take(3, 8);
        var good = new NormArgs(x, y, NormKind.LayerNorm, 1e-5f) { Weight = _s.TakeFloat(8), Bias = _s.TakeFloat(8), Residual = y };
        Passes(s => s.Ops.Norm(good));
        Passes(s => s.Ops.Norm(good with { Y = x, Residual = default }));
        Refuses(s => s.Ops.Norm(good with { Y = _s.Take(3, 7) }), "Norm: x is [3, 8], but y is [3, 7]");
        Refuses(s => s.Ops.Norm(good with { Weight = _s.TakeFloat(7) }), "Norm: weight must hold 8 values, found F32 [7]");
        Refuses(s => s.Ops.Norm(good with { Bias = _s.TakeInt(8) }), "Norm: bias must be F32, found I32 [8]");
        Refuses(s => s.Ops.Norm(good with { Kind = NormKind.L2 }), "Norm: L2 takes neither weight nor bias");
        Refuses(s => s.Ops.Norm(good with { Residual = _s.Take(2, 8) }), "Norm: x is [3, 8], but residual is [2, 8]");
        Refuses(s => s.Ops.Norm(good with { X = y with { Offset = y.Offset + 4 } }), "overlaps y");
    }

    [Fact]
    public void Combine()
    {
        Tensor a = _s.Take(6, 8), b = _s.Take(3, 8), y = _s.Take(6, 8);
        var good = new CombineArgs(a, b, y, CombineKind.Add);
        Passes(s => s.Ops.Combine(good with { Y = a }));
        Refuses(s => s.Ops.Combine(good with { B = _s.Take(4, 8) }), "Combine: b is [4, 8], which does not repeat into [6, 8]");
        Refuses(s => s.Ops.Combine(good with { B = _s.Take(3, 7) }), "Combine: b is [3, 7], which does not repeat into [6, 8]");
        Refuses(s => s.Ops.Combine(good with { Y = _s.Take(5, 8) }), "Combine: a is [6, 8], but y is [5, 8]");
        Refuses(s => s.Ops.Combine(good with { Y = y, B = y.SliceRows(0, 3) }), "Combine: b F32 [3, 8] overlaps y");
        Refuses(s => s.Ops.Combine(good with { A = default }), "Combine: a is not given");
    }

    [Fact]
    public void Reduce()
    {
        Tensor x = _s.Take(6, 8), y = _s.Take(2, 8);
        Passes(s => s.Ops.Reduce(new ReduceArgs(x, y, ReduceKind.Sum)));
        Refuses(s => s.Ops.Reduce(new ReduceArgs(x, _s.Take(4, 8), ReduceKind.Sum)), "Reduce: [6, 8] does not fall into 4 groups of rows for y [4, 8]");
        Refuses(s => s.Ops.Reduce(new ReduceArgs(x, _s.Take(2, 7), ReduceKind.Sum)), "Reduce: [6, 8] does not fall into 2 groups of rows for y [2, 7]");
        Refuses(s => s.Ops.Reduce(new ReduceArgs(x, x.SliceRows(0, 2), ReduceKind.Mean)), "Reduce: x F32 [6, 8] overlaps y");
    }

    [Fact]
    public void Softmax()
    {
        Tensor x = _s.TakeFloat(3, 8);
        Passes(s => s.Ops.Softmax(new SoftmaxArgs(x, x)));
        Refuses(s => s.Ops.Softmax(new SoftmaxArgs(x, _s.TakeFloat(3, 9))), "Softmax: x is [3, 8], but y is [3, 9]");
        Refuses(s => s.Ops.Softmax(new SoftmaxArgs(_s.TakeInt(3, 8), x)), "Softmax: x must be F32, found I32 [3, 8]");
        Refuses(s => s.Ops.Softmax(new SoftmaxArgs(x.SliceRows(0, 2), x.SliceRows(1, 2))), "Softmax: x F32 [2, 8] overlaps y F32 [2, 8]");
    }

    [Fact]
    public void Pool2d()
    {
        Tensor x = _s.Take(1, 6, 6, 4), y = _s.Take(1, 3, 3, 4);
        Passes(s => s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Max, new Stencil(2, 2))));
        Refuses(s => s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Max, new Stencil(3, 1))), "Pool2d: y must be [1, 4, 4, 4], found F32 [1, 3, 3, 4]");
        Refuses(s => s.Ops.Pool2d(new PoolArgs(x, y, PoolKind.Max, new Stencil(2, 2, 2, 0))), "Pool2d: padding 2/0 would leave a window of 2 empty");
        Refuses(s => s.Ops.Pool2d(new PoolArgs(x.Reshape(36, 4), y, PoolKind.Max, new Stencil(2, 2))), "Pool2d: x must be a dense map");
    }

    [Fact]
    public void Embed()
    {
        var table = Weight(WeightUse.Table, 10, 8);
        Tensor ids = _s.TakeInt(2, 3), y = _s.Take(2, 3, 8);
        var good = new EmbedArgs(ids, table, y) { Positions = _s.TakeFloat(5, 8) };
        Passes(s => s.Ops.Embed(good));
        Refuses(s => s.Ops.Embed(good with { Ids = _s.Take(2, 3) }), "Embed: ids must be I32, found F32 [2, 3]");
        Refuses(s => s.Ops.Embed(good with { Ids = _s.TakeInt(6) }), "Embed: ids must be [b, n], found I32 [6]");
        Refuses(s => s.Ops.Embed(good with { Y = _s.Take(2, 3, 9) }), "Embed: y must be [2, 3, 8], found F32 [2, 3, 9]");
        Refuses(s => s.Ops.Embed(good with { Positions = _s.TakeFloat(2, 8) }), "Embed: positions are [2, 8], but ids are [2, 3] and the width is 8");
        Refuses(s => s.Ops.Embed(good with { Positions = _s.TakeInt(5, 8) }), "Embed: positions must be F32, found I32 [5, 8]");
        Refuses(s => s.Ops.Embed(good with { Table = Weight(WeightUse.Linear, 10, 8) }), "Embed: fc is packed for Linear");
    }

    [Fact]
    public void CopyRows()
    {
        Tensor x = _s.Take(2, 5, 8), y = _s.Take(2, 6, 8);
        Passes(s => s.Ops.CopyRows(CopyRowsArgs.Tokens(x, 0, 5, y, 1)));
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Tokens(x, 1, 5, y, 1)), "CopyRows: rows up to 11 of x [2, 5, 8]");
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Tokens(x, 0, 5, y, 2)), "CopyRows: rows up to 13 of y [2, 6, 8]");
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Tokens(_s.Take(2, 5, 7), 0, 5, y, 1)), "CopyRows: x is [2, 5, 7], but y is [2, 6, 8]");
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Tokens(_s.TakeInt(2, 5, 8), 0, 5, y, 1)), "CopyRows: x and y must have one type, found I32 [2, 5, 8] and F32 [2, 6, 8]");
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Gather(x, _s.TakeInt(11), y)), "CopyRows: index must hold 12 values, found I32 [11]");
        Refuses(s => s.Ops.CopyRows(new CopyRowsArgs(x, y, 2, 3) { YStride = 2 }), "CopyRows: groups of 3 rows of y overlap, found stride 2");
        Refuses(s => s.Ops.CopyRows(new CopyRowsArgs(y, y, 1, 3) { YStart = 6 }), "CopyRows: x F32 [2, 6, 8] overlaps y");
        Refuses(s => s.Ops.CopyRows(CopyRowsArgs.Gather(x with { Offset = 1 << 30 }, _s.TakeInt(12), y)), "CopyRows: x F32 [2, 5, 8] with pitch 8 reaches outside its memory");
    }

    [Fact]
    public void InnerProduct()
    {
        Tensor x = _s.TakeFloat(2, 8), rows = _s.TakeFloat(5, 8), y = _s.TakeFloat(2, 5), halves = Mapped(DType.F16, 5, 8);
        Passes(s => s.Ops.InnerProduct(new InnerProductArgs(x, rows, y)));
        Passes(s => s.Ops.InnerProduct(new InnerProductArgs(x, halves, y)));
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(x, default, y)), "InnerProduct: rows are not given");
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(x, _s.TakeInt(5, 8), y)), "InnerProduct: rows must be F32 or F16, found I32 [5, 8]");
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(halves, rows, y)), "InnerProduct: x must be F32, found F16 [5, 8]");
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(_s.TakeFloat(2, 7), rows, y)), "InnerProduct: rows are [5, 8], but x has 7 columns");
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(x, rows, _s.TakeFloat(2, 6))), "InnerProduct: y is [2, 6], but x is [2, 8] and rows are [5, 8]");
        Refuses(s => s.Ops.InnerProduct(new InnerProductArgs(x, rows, x.Reshape(2, 8).SliceColumns(0, 5))), "InnerProduct: x F32 [2, 8] overlaps y");
    }

    [Fact]
    public void TopK()
    {
        Tensor x = _s.TakeFloat(2, 9), values = _s.TakeFloat(2, 3), ids = _s.TakeInt(2, 3);
        Passes(s => s.Ops.TopK(new TopKArgs(x, values, ids)));
        Refuses(s => s.Ops.TopK(new TopKArgs(x, _s.TakeFloat(2, 10), _s.TakeInt(2, 10))), "TopK: k must be 1 to the 9 columns of x, but values are [2, 10]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, _s.TakeFloat(2, 0), _s.TakeInt(2, 0))), "TopK: k must be 1 to the 9 columns of x, but values are [2, 0]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, _s.TakeFloat(1, 3), ids)), "TopK: x is [2, 9], but values is [1, 3]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, values, _s.TakeInt(2, 2))), "TopK: ids must be [2, 3], found I32 [2, 2]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, values, values)), "TopK: ids must be I32, found F32 [2, 3]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, values, values with { Type = DType.I32 })), "TopK: values F32 [2, 3] overlaps ids I32 [2, 3]");
        Refuses(s => s.Ops.TopK(new TopKArgs(x, x.SliceColumns(0, 3), ids)), "TopK: x F32 [2, 9] overlaps values F32 [2, 3]");
    }

    [Fact]
    public void Mapped_memory_is_only_read()
    {
        Tensor mapped = Mapped(DType.F32, 2, 3), x = _s.TakeFloat(2, 3);
        Passes(s => s.Ops.Softmax(new SoftmaxArgs(mapped, x)));
        Refuses(s => s.Ops.Softmax(new SoftmaxArgs(x, mapped)), "Softmax: y F32 [2, 3] lies in read-only memory");
        Refuses(s => s.CopyIn<float>(new float[6], mapped), "CopyIn: F32 [2, 3] lies in read-only memory");
    }

    [Fact]
    public void PixelsToFloat()
    {
        Tensor pixels = _s.TakeBytes(1, 4, 4, 3), table = _s.TakeFloat(3, 256), y = _s.Take(1, 4, 4, 3);
        Passes(s => s.Ops.PixelsToFloat(new PixelsArgs(pixels, table, y)));
        Refuses(s => s.Ops.PixelsToFloat(new PixelsArgs(y, table, y)), "PixelsToFloat: pixels must be U8, found F32 [1, 4, 4, 3]");
        Refuses(s => s.Ops.PixelsToFloat(new PixelsArgs(pixels, _s.TakeFloat(256), y)), "PixelsToFloat: byte table must be [3, 256], found F32 [256]");
        Refuses(s => s.Ops.PixelsToFloat(new PixelsArgs(pixels, table, _s.Take(1, 4, 3, 4))), "PixelsToFloat: y must be [1, 4, 4, 3], found F32 [1, 4, 3, 4]");
        Refuses(s => s.Ops.PixelsToFloat(new PixelsArgs(_s.TakeBytes(1, 4, 3, 4), table, y)), "PixelsToFloat: pixels must have 3 channels, found U8 [1, 4, 3, 4]");
    }

    private Tensor Mapped(DType type, int rows, int columns)
    {
        using var memory = new HostMemory((long)rows * columns * type.Size());
        return _plan.Map(new MapRequest(memory, 0, new Shape(rows, columns), type));
    }

    private PackedWeight Weight(WeightUse use, int outputs, int inputs, int kernel = 1) =>
        _plan.Pack(new PackRequest("fc", use, new ArrayMatrix([], outputs, inputs), null, kernel));

    private void Passes(Action<Session> call)
    {
        var before = _plan.Total;
        call(_s);
        Assert.True(_plan.Total.Bytes >= before.Bytes);
    }

    private void Refuses(Action<Session> call, string text)
    {
        var before = _plan.Total;
        Assert.Contains(text, Assert.Throws<ContractException>(() => call(_s)).Message, StringComparison.Ordinal);
        Assert.Equal(before, _plan.Total);
    }
}
