using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>
/// Builds models from weights. A model's constructor walks the tree twice: first against a backend without memory, where everything that does
/// not fit is collected before a byte is packed; then for real, tensor by tensor, so that no second copy of the weights ever exists.
/// </summary>
public static class WeightLoader
{
    /// <summary>Checks the weights against the model, then loads it.</summary>
    /// <param name="source">The weights; may be closed after the call.</param>
    /// <param name="backend">Where the weights go; must outlive the model.</param>
    /// <param name="build">Makes the model: <c>root => new ClipModel(root, config)</c>. Runs twice.</param>
    /// <param name="model">What the checkpoint is loaded as, for messages.</param>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public static LoadedModel<T> Load<T>(IWeightSource source, IBackend backend, Func<WeightNode, T> build, string model = "the model") where T : class
    {
        Check(source, build, model);
        var reader = new WeightReader(source, backend, model, faults: null);
        try
        {
            return new LoadedModel<T>(build(new WeightNode(reader, "")), reader.Parameters, reader);
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>Checks the weights without reading any.</summary>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    public static void Check<T>(IWeightSource source, Func<WeightNode, T> build, string model = "the model") where T : class
    {
        using var plan = new PlanBackend();
        var faults = new List<WeightFault>();
        using var reader = new WeightReader(source, plan, model, faults);
        build(new WeightNode(reader, ""));
        reader.ReportUnused();
        if (faults.Count > 0) throw new WeightMismatchException(source.Origin, model, faults);
    }

    /// <summary>Builds a model of any size without weights, to count parameters, memory and arithmetic.</summary>
    /// <param name="plan">Counts; sessions over it run the model.</param>
    /// <param name="build">Makes the model.</param>
    public static LoadedModel<T> Plan<T>(PlanBackend plan, Func<WeightNode, T> build) where T : class
    {
        var reader = new WeightReader(new PlannedWeights(), plan, "the model", []);
        return new LoadedModel<T>(build(new WeightNode(reader, "")), reader.Parameters, reader);
    }
}

/// <summary>A model together with its packed weights. Sessions may share it; disposing it gives the weights back.</summary>
public sealed class LoadedModel<T> : IDisposable where T : class
{
    private readonly WeightReader _weights;

    internal LoadedModel(T model, long parameters, WeightReader weights) => (Model, Parameters, _weights) = (model, parameters, weights);

    /// <summary>The model; must not be used after <see cref="Dispose"/>.</summary>
    public T Model { get; }

    /// <summary>Number of trained values; statistics of normalisations are none.</summary>
    public long Parameters { get; }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _weights.Dispose();
}
