using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>A checkpoint's tensors under the names that a model asks for.</summary>
public sealed class LayoutView : IWeightSource
{
    private readonly Dictionary<string, WeightView> _tensors = new(StringComparer.Ordinal);
    private readonly List<WeightView> _ignored = [];

    internal LayoutView(Layout layout, string origin) => (Layout, Origin) = (layout, origin);

    /// <summary>The layout in front of the checkpoint.</summary>
    public Layout Layout { get; }

    /// <inheritdoc/>
    public string Origin { get; }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Entries of the file that are no weights.</summary>
    public IReadOnlyList<WeightView> Ignored => _ignored;

    /// <inheritdoc/>
    public bool Has(string name) => _tensors.ContainsKey(name);

    /// <summary>The tensor of that name, or null.</summary>
    public WeightView? Find(string name) => _tensors.GetValueOrDefault(name);

    /// <inheritdoc/>
    public WeightView? Find(string name, Shape expected) => Find(name);

    /// <inheritdoc/>
    public string NameInFile(string name) => Layout.NameInFile(name);

    internal void Ignore(WeightView tensor) => _ignored.Add(tensor);

    internal void Add(string name, WeightView tensor)
    {
        if (_tensors.TryAdd(name, tensor)) return;
        throw new WeightFileException(tensor.File, tensor.Key, $"one tensor for {name}", $"{_tensors[name].Key} as well");
    }
}
