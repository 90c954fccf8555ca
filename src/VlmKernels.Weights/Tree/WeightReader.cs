using System.Collections.Immutable;
using System.Globalization;
using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>
/// One pass of a model's constructor over its weights. With a list of faults the pass only checks: it records what does not fit, hands out
/// placeholders and reads nothing. Without one it packs, owns what it packed, and a fault is an exception.
/// </summary>
internal sealed class WeightReader(IWeightSource source, IBackend backend, string model, List<WeightFault>? faults) : IDisposable
{
    // Larger placeholders than this are not made: what is missing is reported without the rest.
    private const long MostPlaceholder = 1 << 28;

    private readonly HashSet<string> _used = new(StringComparer.Ordinal);
    private readonly List<IDisposable> _owned = [];

    public IBackend Backend => backend;

    /// <summary>Values of all tensors asked for, buffers left out; a tensor counts once.</summary>
    public long Parameters { get; private set; }

    public bool ChecksOnly => faults is not null;

    public bool Has(string name) => source.Has(name);

    /// <summary>Extent of the first axis of a table, or <paramref name="otherwise"/> where the source has none to tell; [1, rows, columns] is a table, too.</summary>
    public int Rows(string name, int otherwise)
    {
        var view = source.Find(name, new Shape(otherwise));
        if (source.Names.Count == 0 || view is null || view.Shape.IsEmpty) return otherwise;
        long rows = view.Shape is [1, _, _] ? view.Shape[1] : view.Shape[0];
        return (int)Math.Min(rows, int.MaxValue);
    }

    public MatrixSource Matrix(string name, Shape expected)
    {
        int rows = expected[0], columns = (int)(expected.Count / rows);
        return Find(name, expected, isBuffer: false) is { } view ? new ViewMatrix(view, rows, columns) : new PlaceholderMatrix(rows, columns);
    }

    public float[] Values(string name, Shape expected, bool isBuffer)
    {
        var view = Find(name, expected, isBuffer);
        if (view is null && expected.Count > MostPlaceholder) throw new WeightMismatchException(source.Origin, model, faults!);
        var values = new float[expected.Count];
        if (view is null || ChecksOnly) return values;
        view.Read(0, values);
        view.Release();
        return values;
    }

    public float Scalar(string name, float most)
    {
        float value = Values(name, new Shape(1), isBuffer: false)[0];
        if (Math.Abs(value) <= most) return value; // false for NaN
        var view = source.Find(name, new Shape(1))!;
        string expected = most == float.MaxValue ? "a finite number" : string.Create(CultureInfo.InvariantCulture, $"a number from {-most} to {most}");
        throw new WeightFileException(view.File, view.Key, expected, value.ToString(CultureInfo.InvariantCulture));
    }

    public Tensor Upload(ReadOnlySpan<float> values, Shape shape)
    {
        var tensor = backend.Upload(values, shape);
        _owned.Add(tensor.Storage!);
        return tensor;
    }

    public PackedWeight Pack(in PackRequest request)
    {
        var weight = backend.Pack(request);
        _owned.Add(weight);
        if (!ChecksOnly) (request.Matrix as IReleasable)?.Release();
        return weight;
    }

    /// <summary>Records every tensor that no one asked for, in the order of their names; a tensor of which a part was asked for counts as asked for.</summary>
    public void ReportUnused()
    {
        var unused = new SortedDictionary<string, WeightFault>(StringComparer.Ordinal);
        foreach (string name in source.Names)
        {
            if (_used.Contains(name) || source.Find(name, new Shape(1)) is not { } view) continue;
            unused.TryAdd(view.Key, new WeightFault(WeightFaultKind.Unused, view.Key, view.File, "", view.ToString(), view.Key));
        }
        faults!.AddRange(unused.Values);
    }

    public void Dispose()
    {
        foreach (var owned in _owned) owned.Dispose();
        _owned.Clear();
    }

    private WeightView? Find(string name, Shape expected, bool isBuffer)
    {
        var view = source.Find(name, expected);
        if (_used.Add(name) && !isBuffer) Parameters += expected.Count;
        if (view is null) return Report(new WeightFault(WeightFaultKind.Missing, source.NameInFile(name), source.Origin, expected.ToString(), "", name));
        if (!Fits(view.Shape, expected)) return Report(new WeightFault(WeightFaultKind.Shape, view.Key, view.File, expected.ToString(), view.ToString(), name));
        return view;
    }

    private WeightView? Report(WeightFault fault)
    {
        if (faults is null) throw new WeightMismatchException(source.Origin, model, [fault]);
        faults.Add(fault);
        return null;
    }

    /// <summary>Equal up to extents of 1 at either end (scalars, 1×1 kernels), or a kernel [out, c, h, w] beside a matrix [out, c·h·w].</summary>
    private static bool Fits(ImmutableArray<long> found, Shape expected)
    {
        Span<long> wanted = stackalloc long[expected.Rank];
        for (int i = 0; i < wanted.Length; i++) wanted[i] = expected[i];
        if (Trim(found.AsSpan()).SequenceEqual(Trim(wanted))) return true;
        bool flattened = (found.Length == 4 && expected.Rank == 2) || (found.Length == 2 && expected.Rank == 4);
        if (!flattened || found[0] != wanted[0]) return false;
        long count = 1;
        foreach (long extent in found) count *= extent;
        return count == expected.Count;
    }

    private static ReadOnlySpan<long> Trim(ReadOnlySpan<long> shape) => shape.Trim(1L);
}
