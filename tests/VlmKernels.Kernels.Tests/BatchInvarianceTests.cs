using VlmKernels.Testing.OpTable;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>Answers do not depend on the batch or the number of threads: the same bits alone, in a larger batch, on 1, 2, 3 and 5 threads.</summary>
public class BatchInvarianceTests
{
    public static IEnumerable<TheoryDataRow<string, string>> Rows =>
        from backend in Backends.Names from c in Table.Tested select new TheoryDataRow<string, string>(backend, c.Name);

    [Theory]
    [MemberData(nameof(Rows))]
    public void An_item_has_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads(string backend, string row)
    {
        var c = Table.Find(row);
        if (c.Items < 2) c = c.WithItems(5);
        float[] whole = OpRun.Run(c, Backends.Get(backend, 1));
        foreach (int threads in (int[])[2, 3, 5])
        {
            Assert.Equal(OpRun.Bits(whole), OpRun.Bits(OpRun.Run(c, Backends.Get(backend, threads))));
        }
        foreach (var (first, count, threads) in Parts(c.Items))
        {
            float[] part = OpRun.Run(c.WithItems(count), Backends.Get(backend, threads), first);
            int perItem = whole.Length / c.Items;
            Assert.Equal(OpRun.Bits(whole.AsSpan(first * perItem, count * perItem)), OpRun.Bits(part));
        }
    }

    /// <summary>Single items at the start, in the middle and at the end, and batches that begin and end elsewhere.</summary>
    private static IEnumerable<(int First, int Count, int Threads)> Parts(int items) =>
        from part in new (int First, int Count)[] { (0, 1), (items / 2, 1), (items - 1, 1), (1, items - 1), (0, (items + 1) / 2), (items / 3, Math.Max(1, items / 2)) }.Distinct()
        select (part.First, part.Count, 1 + (part.Count % 3));
}
