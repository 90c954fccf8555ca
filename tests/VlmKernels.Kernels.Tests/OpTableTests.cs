using System.Collections.Concurrent;
using VlmKernels.Testing.OpTable;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>Every row of the table on every backend against the reference.</summary>
public class OpTableTests
{
    private static readonly ConcurrentDictionary<string, float[]> Expected = [];

    public static IEnumerable<TheoryDataRow<string, string>> Rows =>
        from backend in Backends.Names from c in Table.Tested select new TheoryDataRow<string, string>(backend, c.Name);

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_gives_what_the_reference_gives_and_touches_nothing_else(string backend, string row)
    {
        var c = Table.Find(row);
        var (values, disturbed) = OpRun.RunGuarded(c, Backends.Get(backend));
        Assert.Empty(disturbed);
        Assert.Null(OpRun.Difference(values, Expected.GetOrAdd(row, _ => OpRun.Run(c, Backends.Reference)), c.Tolerance));
    }

    [Fact]
    public void Guards_notice_a_write_beside_the_result_and_into_an_operand()
    {
        var c = CombineCase.All.First(c => c is { Pitched: true, InPlace: false, BRows: > 1 });
        using var session = new Session(Backends.Reference);
        using var inputs = new OpInputs(c, session, Backends.Reference);
        var y = c.Enqueue(session, inputs);
        Assert.Empty(inputs.Disturbed());
        session.CopyIn<float>([1], y.SliceRows(1, 1).SliceColumns(0, 1) with { Offset = y.SliceRows(1, 1).Offset - 4 });
        Assert.Equal(["y"], inputs.Disturbed());
        session.CopyIn<float>([1], inputs.A("a", y.Shape).SliceRows(0, 1).SliceColumns(0, 1));
        Assert.Equal(["a", "y"], inputs.Disturbed().Order());
    }

    [Fact]
    public void Names_are_unique() => Assert.Empty(Table.All.GroupBy(c => c.Name).Where(g => g.Count() > 1).Select(g => g.Key));

    [Fact]
    public void Every_operation_has_rows() =>
        Assert.Equal(typeof(IOps).GetMethods().Select(m => m.Name).Order(), Table.All.Select(c => c.Op).Distinct().Order());

    [Fact]
    public void Every_operation_has_rows_of_simulator_size_and_most_rows_are_tested()
    {
        Assert.Equal(typeof(IOps).GetMethods().Length, Table.All.Where(c => c.Tiny).Select(c => c.Op).Distinct().Count());
        Assert.True(Table.Tested.Count > 300, $"{Table.Tested.Count} rows of {Table.All.Count}");
    }

    [Fact]
    public void Results_of_tested_rows_are_neither_empty_throughout_nor_all_zero()
    {
        foreach (string op in Table.Tested.Select(c => c.Op).Distinct())
        {
            var c = Table.Tested.First(c => c.Op == op && c.Items > 1);
            Assert.Contains(OpRun.Run(c, Backends.Reference), v => float.IsFinite(v) && v != 0);
        }
    }
}
