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

    /// <summary>One extent of a tensor, to infer a model's sizes from; a negative axis counts from the last.</summary>
    /// <exception cref="WeightFileException">There is no such tensor, or its shape has no such axis.</exception>
    public int Extent(string name, int axis)
    {
        var shape = Find(name)?.Shape ?? throw new WeightFileException(Origin, NameInFile(name), "the tensor, to infer the model's sizes from", "no such tensor");
        int index = axis < 0 ? axis + shape.Length : axis;
        if ((uint)index < (uint)shape.Length && shape[index] is > 0 and <= int.MaxValue) return (int)shape[index];
        throw new WeightFileException(Origin, NameInFile(name), $"a shape with axis {axis}", $"[{string.Join(", ", shape)}]");
    }

    /// <summary>One more than the largest number behind a prefix.</summary>
    public int CountLayers(string prefix)
    {
        int count = 0;
        foreach (string name in Names)
        {
            if (!name.StartsWith(prefix, StringComparison.Ordinal)) continue;
            int end = name.IndexOf('.', prefix.Length);
            if (end > 0 && int.TryParse(name.AsSpan(prefix.Length, end - prefix.Length), out int index)) count = Math.Max(count, index + 1);
        }
        return count;
    }

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
