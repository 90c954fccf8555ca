using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>What docs/architecture.md promises of every model: bits that do not depend on company, and a steady state without allocation.</summary>
public sealed class PromiseTests
{
    private const int Size = 40;

    private static readonly ClipConfig Vit = new()
    {
        Vision = new ClipVisionConfig(new TransformerConfig(72, 200, 2, 3, Activation.Gelu), Size, 8, 36),
        Text = new ClipTextConfig(new TransformerConfig(48, 130, 2, 2, Activation.QuickGelu), 100, 13, 36),
    };

    private static readonly ClipConfig ResNet = Vit with { Vision = null, ResNet = new ClipResNetConfig([2, 1, 1, 1], 8, 4, 64, 36) };

    public static TheoryData<string, string> TiersAndTowers =>
        new(from tier in Tiers.Available from tower in (string[])["vit", "resnet", "text"] select (tier.Name(), tower));

    [Theory]
    [MemberData(nameof(TiersAndTowers))]
    public void An_embedding_has_the_same_bits_alone_in_a_batch_and_on_any_number_of_threads(string tier, string tower)
    {
        float[] expected = Embed(tier, tower, threads: 1, batch: 64);
        foreach (int threads in (int[])[2, 3, 5]) Assert.Equal(expected, Embed(tier, tower, threads, batch: 64));
        int width = expected.Length / 64;
        foreach (int item in (int[])[0, 1, 37, 63]) Assert.Equal(expected[(item * width)..((item + 1) * width)], Embed(tier, tower, threads: 2, batch: 1, first: item));
        Assert.Equal(expected[(5 * width)..(12 * width)], Embed(tier, tower, threads: 2, batch: 7, first: 5));
    }

    [Theory]
    [MemberData(nameof(TiersAndTowers))]
    public void A_steady_forward_pass_allocates_nothing_on_any_thread(string tier, string tower)
    {
        using var backend = new CpuBackend(new CpuOptions { Tier = Tiers.Parse(tier), Threads = 2 });
        using var loaded = Load(backend, tower);
        using var session = new Session(backend);
        float[] result = new float[3 * 36];
        for (int i = 0; i < 3; i++) Pass(session, loaded.Model, tower, 3, 0, result);
        // The total counts every thread of the process; several tries, since other threads of the test host may allocate meanwhile.
        long least = long.MaxValue;
        for (int attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            float[] pixels = Pixels(tower, 3, 0);
            int[] ids = Ids(3, 0);
            long before = GC.GetTotalAllocatedBytes(precise: true);
            Pass(session, loaded.Model, tower, 3, pixels, ids, result);
            least = Math.Min(least, GC.GetTotalAllocatedBytes(precise: true) - before);
        }
        Assert.Equal(0, least);
    }

    [Fact]
    public async Task One_model_serves_two_sessions_at_once_with_the_same_bits()
    {
        using var backend = new CpuBackend(new CpuOptions { Threads = 2 });
        using var loaded = Load(backend, "vit");
        float[] expected = Repeat(0), other = Repeat(9);
        var results = await Task.WhenAll(Task.Run(() => Repeat(0)), Task.Run(() => Repeat(9)));
        Assert.Equal(expected, results[0]);
        Assert.Equal(other, results[1]);

        float[] Repeat(int first)
        {
            using var session = new Session(backend);
            float[] result = new float[4 * 36];
            for (int i = 0; i < 30; i++) Pass(session, loaded.Model, "vit", 4, first, result);
            return result;
        }
    }

    private static float[] Embed(string tier, string tower, int threads, int batch, int first = 0)
    {
        using var backend = new CpuBackend(new CpuOptions { Tier = Tiers.Parse(tier), Threads = threads });
        using var loaded = Load(backend, tower);
        using var session = new Session(backend);
        float[] result = new float[batch * 36];
        Pass(session, loaded.Model, tower, batch, first, result);
        return result;
    }

    private static LoadedModel<ClipModel> Load(IBackend backend, string tower)
        => WeightLoader.Load(new RandomWeights(3), backend, root => new ClipModel(root, tower == "resnet" ? ResNet : Vit));

    private static void Pass(Session session, ClipModel model, string tower, int batch, int first, float[] result)
        => Pass(session, model, tower, batch, Pixels(tower, batch, first), Ids(batch, first), result);

    private static void Pass(Session session, ClipModel model, string tower, int batch, float[] pixels, int[] ids, float[] result)
    {
        using var mark = session.Mark();
        if (tower == "text")
        {
            session.CopyOut<float>(model.EncodeText(session, ids, batch, 13), result);
            return;
        }
        int size = tower == "resnet" ? 64 : Size;
        var data = session.TakeFloat(batch, size, size, 3);
        session.CopyIn<float>(pixels, data);
        session.CopyOut<float>(ClipModel.Normalize(session, model.EncodeImages(session, new Pixels(data))), result);
    }

    private static float[] Pixels(string tower, int batch, int first)
    {
        int count = tower == "resnet" ? 64 * 64 * 3 : Size * Size * 3;
        var all = new float[batch * count];
        for (int b = 0; b < batch; b++)
        {
            var random = new Random(1000 + first + b);
            for (int i = 0; i < count; i++) all[(b * count) + i] = (float)((random.NextDouble() * 4) - 2);
        }
        return all;
    }

    private static int[] Ids(int batch, int first)
    {
        var all = new int[batch * 13];
        for (int b = 0; b < batch; b++)
        {
            var random = new Random(2000 + first + b);
            for (int i = 0; i < 13; i++) all[(b * 13) + i] = i == 5 + (b + first) % 8 ? 99 : random.Next(98);
        }
        return all;
    }
}
