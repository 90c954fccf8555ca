using VlmKernels.Kernels.Cpu;
using Xunit;

namespace VlmKernels.Kernels.Tests;

public sealed class CpuBackendTests
{
    public static TheoryData<string> Names => [.. Backends.Names];

    [Fact]
    public void A_weight_of_another_tier_is_refused()
    {
        if (Tiers.Available.Count() < 2) Assert.Skip("this machine has one tier");
        using var narrow = new CpuBackend(new CpuOptions { Tier = Tier.Vector128, Threads = 1 });
        using var best = new CpuBackend(new CpuOptions { Threads = 1 });
        using var weight = narrow.Pack(new PackRequest("fc1", WeightUse.Linear, new ArrayMatrix([1, 2, 3, 4], 2, 2)));
        using var session = new Session(best);
        var e = Assert.Throws<ContractException>(() => session.Ops.Linear(new LinearArgs(session.Take(1, 2), weight, session.Take(1, 2))));
        Assert.Contains("fc1", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Parts_of_a_weight_that_do_not_fit_each_other_are_refused(string name)
    {
        var backend = Backends.Get(name);
        var matrix = new ArrayMatrix([1, 2, 3, 4], 2, 2);
        Assert.Throws<ContractException>(() => backend.Pack(new PackRequest("w", WeightUse.Linear, matrix, [1, 2, 3])));
        Assert.Throws<ContractException>(() => backend.Pack(new PackRequest("w", WeightUse.Table, matrix, [1, 2])));
        Assert.Throws<ContractException>(() => backend.Pack(new PackRequest("w", WeightUse.Conv, matrix, Kernel: 3)));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_query_whose_only_visible_score_is_no_number_gets_no_number(string name)
    {
        using var session = new Session(Backends.Get(name));
        using var mark = session.Mark();
        Tensor q = session.Take(1, 1, 4), k = session.Take(1, 3, 4), v = session.Take(1, 3, 4), y = session.Take(1, 1, 4), valid = session.TakeBytes(1, 3);
        session.CopyIn<float>([1, 1, 1, 1], q);
        session.CopyIn<float>([float.NaN, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], k);
        session.CopyIn<float>([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], v);
        session.CopyIn<byte>([1, 0, 0], valid);
        session.Ops.Attention(new AttentionArgs(q, k, v, y, 1) { Mask = new Mask { KeyValid = valid } });
        float[] result = new float[4];
        session.CopyOut<float>(y, result);
        Assert.All(result, r => Assert.True(float.IsNaN(r)));
    }

    [Fact]
    public void A_backend_may_be_disposed_twice()
    {
        var backend = new CpuBackend(new CpuOptions { Threads = 3 });
        backend.Dispose();
        backend.Dispose();
    }

    [Fact]
    public void At_least_one_core_is_found()
    {
        Assert.InRange(CpuInfo.PhysicalCores, 1, Environment.ProcessorCount);
        Assert.True(CpuInfo.L1Bytes > 0 && CpuInfo.L2Bytes > 0);
    }
}
