using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>The reference behaves like a device, so that a model which relies on a host's habits fails on it.</summary>
public sealed class ReferenceBackendTests : IDisposable
{
    private readonly ReferenceBackend _backend = new();
    private readonly Session _s;

    public ReferenceBackendTests() => _s = new Session(_backend);

    public void Dispose()
    {
        _s.Dispose();
        _backend.Dispose();
    }

    [Fact]
    public void Work_waits_for_the_copy_out()
    {
        var matrix = new CountingMatrix();
        using var table = _backend.Pack(new PackRequest("table", WeightUse.Table, matrix));
        Tensor ids = Ints(0, 7), y = _s.Take(1, 2, 3);
        _s.Ops.Embed(new EmbedArgs(ids.Reshape(1, 2), table, y));
        var e = Assert.Throws<ContractException>(() => Out(y));
        Assert.Contains("Embed: ids must be 0 to 1 of table, found 7 at 1", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_queue_goes_on_after_its_fault_was_told()
    {
        Tensor x = Floats(1, 2, 3, 4).Reshape(2, 2), y = _s.Take(1, 2);
        _s.Ops.CopyRows(CopyRowsArgs.Gather(x, Ints(2), y));
        Assert.Contains("CopyRows: rows of x [2, 2] are 0 to 1, found 2", Assert.Throws<ContractException>(() => Out(y)).Message, StringComparison.Ordinal);
        _s.Ops.CopyRows(CopyRowsArgs.Gather(x, Ints(1), y));
        Assert.Equal([3, 4], Out(y));
    }

    [Fact]
    public void A_fault_of_the_second_of_many_operations_waits_too()
    {
        Tensor x = Floats(1, 2).Reshape(2, 1), y = _s.Take(1, 1), z = _s.Take(2, 1);
        _s.Ops.CopyRows(CopyRowsArgs.Gather(x, Ints(-1), y));
        for (int i = 0; i < 5000; i++) _s.Ops.Combine(new CombineArgs(x, y, z, CombineKind.Add));
        Assert.Contains("found -1", Assert.Throws<ContractException>(() => Out(z)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fresh_memory_is_NaN() => Assert.All(Out(_s.Take(3, 50)), v => Assert.True(float.IsNaN(v)));

    [Fact]
    public void Memory_given_back_is_NaN_after_the_work_before_it()
    {
        Tensor y = _s.Take(4), first, second;
        using (_s.Mark())
        {
            first = Floats(1, 2, 3, 4);
            _s.Ops.Combine(new CombineArgs(first, first, y, CombineKind.Add));
        }
        using (_s.Mark())
        {
            second = _s.Take(4);
            Assert.Equal(first, second);
            Assert.All(Out(second), v => Assert.Equal(-1, BitConverter.SingleToInt32Bits(v)));
        }
        Assert.Equal([2, 4, 6, 8], Out(y));
    }

    [Fact]
    public void Copies_and_operations_keep_their_order()
    {
        Tensor x = _s.Take(2), y = _s.Take(2), z = _s.Take(2);
        _s.CopyIn<float>([1, 2], x);
        _s.Ops.Combine(new CombineArgs(x, x, y, CombineKind.Add));
        _s.CopyIn<float>([10, 20], x);
        _s.Ops.Combine(new CombineArgs(x, y, z, CombineKind.Add));
        _s.CopyIn<float>([0, 0], x);
        Assert.Equal([2, 4], Out(y));
        Assert.Equal([12, 24], Out(z));
    }

    [Fact]
    public void The_source_of_a_copy_is_free_on_return()
    {
        float[] source = [1, 2];
        var x = _s.Take(2);
        _s.CopyIn<float>(source, x);
        source[0] = 9;
        Assert.Equal([1, 2], Out(x));
    }

    [Fact]
    public void A_copy_respects_the_pitch()
    {
        Tensor wide = Floats(1, 2, 3, 4, 5, 6).Reshape(2, 3), middle = wide.SliceColumns(1, 1);
        Assert.Equal([2, 5], Out(middle));
        _s.CopyIn<float>([20, 50], middle);
        Assert.Equal([1, 20, 3, 4, 50, 6], Out(wide));
    }

    [Fact]
    public void A_weight_disposed_behind_its_last_use_was_used()
    {
        Tensor x = Floats(3).Reshape(1, 1), y = _s.Take(1, 1);
        using (var two = _backend.Pack(new PackRequest("two", WeightUse.Linear, new ArrayMatrix([2f], 1, 1), [1f])))
        {
            _s.Ops.Linear(new LinearArgs(x, two, y));
        }
        Assert.Equal([7], Out(y));
    }

    [Fact]
    public void Work_on_disposed_memory_is_a_fault()
    {
        var x = _backend.Upload([1], new Shape(1));
        x.Storage!.Dispose();
        var y = _s.Take(1);
        _s.Ops.Combine(new CombineArgs(x, x, y, CombineKind.Add));
        Assert.Contains("given back", Assert.Throws<ContractException>(() => Out(y)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_memory_of_another_backend_is_a_fault()
    {
        using var plan = new PlanBackend();
        Tensor x = plan.Upload([1], new Shape(1)), y = _s.Take(1);
        _s.Ops.Combine(new CombineArgs(x, x, y, CombineKind.Add));
        Assert.Contains("reference backend", Assert.Throws<ContractException>(() => Out(y)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_host_cannot_reach_the_memory()
    {
        var storage = _backend.Allocate(16);
        Assert.False(storage.GetType().IsVisible);
        Assert.Equal(["Bytes", "Dispose", "IsReadOnly", "get_Bytes", "get_IsReadOnly"], typeof(Storage).GetMembers().Where(m => m.DeclaringType == typeof(Storage) && m.Name != ".ctor").Select(m => m.Name).Order());
        Assert.Equal(["ReferenceBackend"], typeof(ReferenceBackend).Assembly.GetExportedTypes().Where(t => t.Name.Contains("Reference", StringComparison.Ordinal)).Select(t => t.Name));
        storage.Dispose();
    }

    [Fact]
    public void A_matrix_is_packed_row_by_row()
    {
        var matrix = new CountingMatrix();
        using var packed = _backend.Pack(new PackRequest("w", WeightUse.Linear, matrix, [1, 2]));
        Assert.Equal(2, matrix.Reads);
        Assert.Equal(4 * (6 + 2), packed.Bytes);
    }

    [Fact]
    public void Packing_names_the_weight_whose_bias_or_kernel_does_not_fit()
    {
        var matrix = new ArrayMatrix(new float[6], 2, 3);
        Assert.Contains("the bias of w must have 2 values, found 3", Assert.Throws<ContractException>(() => _backend.Pack(new PackRequest("w", WeightUse.Linear, matrix, [1, 2, 3]))).Message, StringComparison.Ordinal);
        Assert.Contains("side 2 does not divide the 3 columns of w", Assert.Throws<ContractException>(() => _backend.Pack(new PackRequest("w", WeightUse.Conv, matrix, null, 2))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Queues_of_one_backend_work_at_once()
    {
        using var weight = _backend.Pack(new PackRequest("w", WeightUse.Linear, new ArrayMatrix([2f], 1, 1)));
        Parallel.For(0, 16, i =>
        {
            using var s = new Session(_backend);
            for (int round = 0; round < 20; round++)
            {
                using var mark = s.Mark();
                Tensor x = s.Take(100 + i, 1), y = s.Take(100 + i, 1);
                s.CopyIn<float>(Enumerable.Repeat((float)i, 100 + i).ToArray(), x);
                s.Ops.Linear(new LinearArgs(x, weight, y));
                float[] values = new float[100 + i];
                s.CopyOut(y, values.AsSpan());
                Assert.All(values, v => Assert.Equal(2 * i, v));
            }
        });
    }

    private Tensor Floats(params float[] values)
    {
        var tensor = _s.Take(values.Length);
        _s.CopyIn<float>(values, tensor);
        return tensor;
    }

    private Tensor Ints(params int[] values)
    {
        var tensor = _s.TakeInt(values.Length);
        _s.CopyIn<int>(values, tensor);
        return tensor;
    }

    private float[] Out(Tensor tensor)
    {
        float[] values = new float[tensor.Shape.Count];
        _s.CopyOut(tensor, values.AsSpan());
        return values;
    }

    private sealed class CountingMatrix : MatrixSource
    {
        public int Reads { get; private set; }

        public override int Rows => 2;

        public override int Columns => 3;

        public override void Read(int row, int count, Span<float> into)
        {
            Reads += count;
            into[..(count * Columns)].Fill(row);
        }
    }
}
