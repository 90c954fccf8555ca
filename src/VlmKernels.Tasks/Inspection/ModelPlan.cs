using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>One tower of a plan, or one of its passes.</summary>
/// <param name="Name"><c>image</c>, <c>text</c>; of a model that writes <c>decoder</c> and <c>decode step</c>, which has the decoder's weights.</param>
/// <param name="Parameters">Trained values.</param>
/// <param name="WeightBytes">Packed weights in F32, without the padding of panels.</param>
/// <param name="Cost">Arithmetic and traffic of one pass.</param>
/// <param name="WorkspaceBytes">Most memory that a pass takes besides the weights.</param>
public sealed record TowerPlan(string Name, long Parameters, long WeightBytes, Cost Cost, long WorkspaceBytes);

/// <summary>What a published size would take, found by running the model's own text without weights or memory.</summary>
/// <param name="Name">Name of the size.</param>
/// <param name="Title">Name with that of the architecture.</param>
/// <param name="Batch">Pictures or texts per pass.</param>
/// <param name="Towers">The towers.</param>
public sealed record ModelPlan(string Name, string Title, int Batch, IReadOnlyList<TowerPlan> Towers)
{
    private const int MostPerPass = 4096;

    /// <summary>Names that <see cref="Of"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. ClipSizes.All.Select(s => s.Name), .. BlipSizes.All.Select(s => s.Name)];

    /// <summary>Plans a published size.</summary>
    /// <param name="name">Name of the size, such as <c>ViT-L/14</c>; upper or lower case.</param>
    /// <param name="batch">Pictures or texts per pass, 1 to 4096.</param>
    /// <exception cref="ArgumentException">No size has that name, or the batch is out of range.</exception>
    public static ModelPlan Of(string name, int batch = 1)
    {
        if (batch is < 1 or > MostPerPass) throw new ArgumentException($"batch: expected 1 to {MostPerPass}, found {batch}");
        if (BlipSizes.Find(name) is { } blip) return new ModelPlan(blip.Name, blip.Name, batch, BlipPlan.Towers(blip.Config, batch));
        var size = ClipSizes.Find(name) ?? throw new ArgumentException($"plan {name}: no published size has that name; known are {string.Join(", ", Names)}");
        var config = size.Config;
        return new ModelPlan(size.Name, $"CLIP {size.Name}", batch,
        [
            Tower("image", root => new ClipModel(root, config with { Text = null }), (s, m) => m.EncodeImages(s, new Pixels(s.TakeFloat(batch, config.ImageSize, config.ImageSize, 3)))),
            Tower("text", root => new ClipModel(root, config with { Vision = null, ResNet = null }), (s, m) => m.EncodeText(s, new int[batch * config.Text!.Context], batch, config.Text.Context)),
        ]);
    }

    /// <summary>Plans one tower.</summary>
    internal static TowerPlan Tower<T>(string name, Func<WeightNode, T> build, Action<Session, T> pass) where T : class
    {
        using var plan = new PlanBackend();
        using var loaded = WeightLoader.Plan(plan, build);
        long weights = plan.WeightBytes;
        using var session = new Session(plan);
        pass(session, loaded.Model);
        return new TowerPlan(name, loaded.Parameters, weights, plan.Total, session.WorkspacePeak + plan.CacheBytes);
    }
}
