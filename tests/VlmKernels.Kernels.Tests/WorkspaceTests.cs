using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>The workspace of a session: stack discipline, growth by blocks that never move, one block afterwards.</summary>
public sealed class WorkspaceTests : IDisposable
{
    private const int Megabyte = 1 << 20;

    private readonly PlanBackend _plan = new();
    private readonly Session _s;

    public WorkspaceTests() => _s = new Session(_plan);

    public void Dispose()
    {
        _s.Dispose();
        _plan.Dispose();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(1000)]
    public void Bases_are_aligned_and_ranges_apart(int columns)
    {
        Tensor a = _s.Take(columns), b = _s.TakeBytes(columns), c = _s.TakeInt(3, columns);
        Assert.All((Tensor[])[a, b, c], t => Assert.Equal(0, t.Offset % 256));
        Assert.True(a.Offset + a.Span <= b.Offset && b.Offset + b.Span <= c.Offset);
        Assert.Equal(columns, c.Pitch);
        Assert.Equal((DType.F32, DType.U8, DType.I32), (a.Type, b.Type, c.Type));
    }

    [Fact]
    public void A_closed_mark_gives_back_what_was_taken_since()
    {
        Tensor below = _s.Take(100), first, inner;
        using (_s.Mark())
        {
            first = _s.Take(100);
            using (_s.Mark()) inner = _s.Take(5);
            Assert.Equal(inner.Offset, _s.Take(7).Offset);
        }
        Assert.Equal(first.Offset, _s.Take(3).Offset);
        Assert.True(first.Offset >= below.Offset + below.Span);
    }

    [Fact]
    public void A_result_below_the_mark_stays_where_it_is_while_blocks_are_added()
    {
        using var backend = new ReferenceBackend();
        using var s = new Session(backend);
        var result = s.Take(3);
        s.CopyIn<float>([1, 2, 3], result);
        using (s.Mark())
        {
            for (int i = 0; i < 5; i++) s.Take(Megabyte);
        }
        float[] values = new float[3];
        s.CopyOut(result, values.AsSpan());
        Assert.Equal([1, 2, 3], values);
    }

    [Fact]
    public void A_second_pass_allocates_nothing()
    {
        Pass();
        long allocated = _plan.AllocatedBytes;
        Pass();
        Pass();
        Assert.Equal(allocated, _plan.AllocatedBytes);
    }

    [Fact]
    public void After_the_outermost_mark_one_block_holds_everything()
    {
        Pass();
        using var mark = _s.Mark();
        Tensor first = _s.Take(Megabyte), second = _s.Take(Megabyte);
        Assert.Same(first.Storage, second.Storage);
    }

    [Fact]
    public void The_peak_is_the_most_in_use_at_once()
    {
        using (_s.Mark())
        {
            _s.Take(64);
            using (_s.Mark()) _s.Take(640);
            using (_s.Mark()) _s.Take(6400);
            _s.Take(64);
        }
        Assert.Equal(4 * (64 + 6400), _s.WorkspacePeak);
    }

    [Fact]
    public void The_peak_counts_over_blocks()
    {
        using (_s.Mark())
        {
            for (int i = 0; i < 4; i++) _s.Take(Megabyte);
        }
        Assert.Equal(4L * 4 * Megabyte, _s.WorkspacePeak);
    }

    [Fact]
    public void An_empty_tensor_can_be_taken()
    {
        var empty = _s.Take(0, 8);
        Assert.Equal(0, empty.Span);
        Assert.False(empty.IsNone);
    }

    private void Pass()
    {
        using var mark = _s.Mark();
        _s.Take(3 * Megabyte);
        using (_s.Mark()) _s.Take(Megabyte);
        _s.Take(2 * Megabyte);
    }
}
