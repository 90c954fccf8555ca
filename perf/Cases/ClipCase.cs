using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Perf;

/// <summary>One tower of a published CLIP size with random weights.</summary>
/// <param name="Name">Stable name: <c>clip-vit-b32-vision</c>.</param>
/// <param name="Size">Name in <see cref="ClipSizes"/>.</param>
/// <param name="Batch">Pictures or texts.</param>
/// <param name="Text">The text tower instead of the image tower.</param>
internal sealed record ClipCase(string Name, string Size, int Batch, bool Text = false) : PerfCase(Name, Batch, $"{Name}-f32", $"{Name}-f32-fused")
{
    /// <summary>The sizes that are reported.</summary>
    public static IEnumerable<ClipCase> All =>
    [
        .. from batch in (int[])[1, 8, 32] select new ClipCase("clip-vit-b32-vision", "ViT-B/32", batch),
        .. from batch in (int[])[1, 8, 32] select new ClipCase("clip-vit-b16-vision", "ViT-B/16", batch),
        .. from batch in (int[])[1, 8] select new ClipCase("clip-vit-l14-vision", "ViT-L/14", batch),
        .. from batch in (int[])[1, 8] select new ClipCase("clip-rn50-vision", "RN50", batch),
        .. from batch in (int[])[1, 8, 32] select new ClipCase("clip-vit-b32-text", "ViT-B/32", batch, Text: true),
    ];

    /// <inheritdoc/>
    public override double Seconds => 8;

    /// <inheritdoc/>
    public override PreparedCase Prepare(IBackend backend, int threads)
    {
        var config = ClipSizes.Find(Size)!.Config;
        config = Text ? config with { Vision = null, ResNet = null } : config with { Text = null };
        var loaded = WeightLoader.Load(new RandomWeights(seed: 1), backend, root => new ClipModel(root, config));
        var session = new Session(backend);
        return new PreparedCase(Pass(session, loaded.Model, config), PlannedCost(config), loaded, session);
    }

    private Action Pass(Session session, ClipModel model, ClipConfig config)
    {
        int[] ids = Text ? MakeIds(config.Text!) : [];
        float[] pixels = Text ? [] : MakePixels(config.ImageSize);
        float[] embeddings = new float[Batch * config.ProjectionSize];
        return () =>
        {
            using var mark = session.Mark();
            session.CopyOut<float>(Embed(session, model, config, pixels, ids), embeddings);
        };
    }

    private Tensor Embed(Session session, ClipModel model, ClipConfig config, float[] pixels, int[] ids)
    {
        if (Text) return model.EncodeText(session, ids, Batch, config.Text!.Context);
        var data = session.TakeFloat(Batch, config.ImageSize, config.ImageSize, 3);
        session.CopyIn<float>(pixels, data);
        return model.EncodeImages(session, new Pixels(data));
    }

    private Cost PlannedCost(ClipConfig config)
    {
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, root => new ClipModel(root, config));
        using var session = new Session(plan);
        Embed(session, loaded.Model, config, Text ? [] : MakePixels(config.ImageSize), Text ? MakeIds(config.Text!) : []);
        return plan.Total;
    }

    private float[] MakePixels(int size)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, Batch * size * size * 3).Select(_ => (float)((random.NextDouble() * 4) - 2))];
    }

    private int[] MakeIds(ClipTextConfig text)
    {
        var random = new Random(7);
        return [.. Enumerable.Range(0, Batch * text.Context).Select(i => (i + 1) % text.Context == 0 ? text.Vocabulary - 1 : random.Next(1, text.Vocabulary - 2))];
    }
}
