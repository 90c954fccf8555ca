using VlmKernels.Testing.OpTable;
using Xunit;

namespace VlmKernels.Kernels.Tests;

/// <summary>Memory of the host as a tensor.</summary>
public class MapTests
{
    public static TheoryData<string> Names => [.. Backends.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_backend_holds_the_memory_until_the_storage_is_disposed(string name)
    {
        using var session = new Session(Backends.Get(name));
        var memory = new HostMemory(16);
        memory.WriteArray<float>(0, [1, 2, 3, 4], 0, 4);
        var tensor = Backends.Get(name).Map(new MapRequest(memory, 4, new Shape(1, 3), DType.F32));
        memory.Dispose();
        float[] found = new float[3];
        session.CopyOut(tensor, found.AsSpan());
        Assert.Equal([2, 3, 4], found);
        tensor.Storage!.Dispose();
        tensor.Storage.Dispose();
        Assert.Throws<ObjectDisposedException>(() => Backends.Get(name).Map(new MapRequest(memory, 0, new Shape(1, 3), DType.F32)));
    }

    [Theory]
    [InlineData(-1, 1, 4)]
    [InlineData(4, 1, 4)]
    [InlineData(17, 1, 0)]
    [InlineData(0, 3, 2)]
    [InlineData(0, int.MaxValue, int.MaxValue)]
    public void A_matrix_that_reaches_outside_its_memory_is_refused(long offset, int rows, int columns)
    {
        using var memory = new HostMemory(16);
        foreach (string name in Names.Select(n => n.Data))
        {
            var e = Assert.Throws<ContractException>(() => Backends.Get(name).Map(new MapRequest(memory, offset, new Shape(rows, columns), DType.F32)));
            Assert.Equal($"Map: F32 [{rows}, {columns}] at byte {offset} reaches outside its 16 bytes", e.Message);
        }
    }
}
