using VlmKernels.Kernels;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

public class ClipPlanTests
{
    // Parameters in millions, GFLOP of one picture and of one text of 77 tokens (multiplications and additions counted separately).
    public static TheoryData<string, double, double, double> Published => new()
    {
        { "ViT-B/32", 151.28, 8.82, 5.96 },
        { "ViT-B/16", 149.62, 35.13, 5.96 },
        { "ViT-B/16-plus-240", 208.38, 54.8, 9.3 },
        { "ViT-L/14", 427.62, 162.0, 13.3 },
        { "ViT-L/14@336px", 427.94, 381.9, 13.3 },
        { "ViT-H/14", 986.11, 334.6, 47.1 },
        { "ViT-g/14", 1366.68, 534.1, 47.1 },
        { "ViT-bigG/14", 2539.57, 967.5, 97.9 },
        { "RN50", 102.01, 12.2, 5.96 },
        { "RN101", 119.69, 19.5, 5.96 },
        { "RN50x4", 178.30, 42.6, 9.3 },
        { "RN50x16", 290.98, 149.4, 13.3 },
        { "RN50x64", 623.26, 529.1, 23.6 },
    };

    [Theory]
    [MemberData(nameof(Published))]
    public void Published_sizes_have_their_published_parameters_and_arithmetic(string name, double parameters, double picture, double text)
    {
        var config = ClipSizes.Find(name)!.Config;
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, root => new ClipModel(root, config));
        Assert.Equal(parameters, loaded.Parameters / 1e6, 0.01);
        Assert.InRange(Flops(loaded.Model, plan, images: 1, texts: 0), (picture - Surplus(config)) * 0.99, (picture - Surplus(config)) * 1.01);
        Assert.InRange(Flops(loaded.Model, plan, images: 0, texts: 1), text * 0.99, text * 1.01);
    }

    [Fact]
    public void Every_published_size_is_planned() => Assert.Equal(ClipSizes.All.Select(s => s.Name), Published.Select(r => r.Data.Item1));

    [Theory]
    [InlineData("ViT-B/32")]
    [InlineData("RN50")]
    public void Random_weights_build_any_size(string name)
    {
        var config = ClipSizes.Find(name)!.Config;
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Load(new RandomWeights(1), plan, root => new ClipModel(root, config));
        Assert.True(loaded.Model.HasVision && loaded.Model.HasText);
        Assert.Equal(name, ClipSizes.Describe(config)[5..]);
    }

    [Theory]
    [InlineData("ViT-B/32")]
    [InlineData("RN50")]
    public void A_repeated_pass_allocates_nothing(string name)
    {
        var config = ClipSizes.Find(name)!.Config;
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, root => new ClipModel(root, config));
        using var session = new Session(plan);
        int[] ids = new int[300 * 7];
        byte[] mask = new byte[300 * 7];
        using var whole = session.Mark();
        // Values, not grey levels: checking their table makes a span of constants, which allocates in unoptimised code.
        var pixels = new Pixels(session.TakeFloat(2, config.ImageSize, config.ImageSize, 3));
        long least = long.MaxValue;
        for (int pass = 0; pass < 8; pass++) // the runtime itself allocates now and then; the model would in every pass
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            Pass(loaded.Model, session, pixels, ids, mask);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.Equal(0, least);
    }

    [Fact]
    public void The_workspace_of_a_ResNet_does_not_grow_with_its_depth()
    {
        Assert.InRange(Peak("RN101"), 1, Peak("RN50") * 1.01);
    }

    private static void Pass(ClipModel model, Session session, Pixels pixels, int[] ids, byte[] mask)
    {
        using var mark = session.Mark();
        var images = ClipModel.Normalize(session, model.EncodeImages(session, pixels));
        var texts = ClipModel.Normalize(session, model.EncodeText(session, ids, 300, 7, mask));
        model.Logits(session, images, texts);
    }

    private static double Peak(string name)
    {
        var config = ClipSizes.Find(name)!.Config;
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, root => new ClipModel(root, config));
        using var session = new Session(plan);
        using var mark = session.Mark();
        loaded.Model.EncodeImages(session, new Pixels(session.TakeFloat(1, config.ImageSize, config.ImageSize, 3)));
        return session.WorkspacePeak;
    }

    private static double Flops(ClipModel model, PlanBackend plan, int images, int texts)
    {
        using var session = new Session(plan);
        using var mark = session.Mark();
        long before = plan.Total.Flops;
        int size = model.Config.ImageSize;
        if (images > 0) model.EncodeImages(session, new Pixels(session.TakeFloat(images, size, size, 3)));
        if (texts > 0) model.EncodeText(session, new int[77], texts, 77);
        return (plan.Total.Flops - before) / 1e9;
    }

    /// <summary>
    /// The table counts the attention pool of a ResNet as if every cell asked. Only the mean does: query, attention and output of the other
    /// cells are no work.
    /// </summary>
    private static double Surplus(ClipConfig config)
    {
        if (config.ResNet is not { } c) return 0;
        double cells = c.ImageSize / 32 * (c.ImageSize / 32), width = 32 * c.Width;
        return 2 * cells * ((width * width) + (2 * width * (cells + 1)) + (width * c.ProjectionSize)) / 1e9;
    }
}
