using System.Globalization;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>
/// Compares a result with its source, tensor by tensor: names, shapes, and bits where the type is the same. Where it is another, every value must
/// be the source's rounded to nearest even, or lie within a tolerance of it.
/// </summary>
/// <param name="conversion">The source and what became of its names and shapes.</param>
/// <param name="result">The result.</param>
/// <param name="tolerance">Most that |a − b| may be, as a share of max(1, |a|); used where the type differs.</param>
internal sealed class Comparison(Conversion conversion, Checkpoint result, double tolerance)
{
    private readonly float[] _expected = new float[PlannedTensor.Piece], _found = new float[PlannedTensor.Piece];
    private readonly byte[] _expectedBytes = new byte[PlannedTensor.Piece * sizeof(long)], _foundBytes = new byte[PlannedTensor.Piece * sizeof(long)];

    /// <summary>The differences, one sentence each, found as they are asked for.</summary>
    /// <param name="compared">Called with a number of bytes of the source after every piece; may throw to stop.</param>
    public IEnumerable<string> Differences(Action<int> compared)
    {
        foreach (PlannedTensor tensor in conversion.Tensors)
        {
            string? difference = result.Tensors.TryGetValue(tensor.Name, out StoredTensor? found) ? Difference(tensor.Source, found, compared) : "expected the tensor, found none";
            if (difference is not null) yield return $"'{tensor.Name}': {difference}";
        }
        HashSet<string> expected = [.. conversion.Tensors.Select(tensor => tensor.Name)];
        foreach (string name in result.Tensors.Keys.Where(name => !expected.Contains(name))) yield return $"'{name}': expected no such tensor, found one";
    }

    private string? Difference(WeightView source, StoredTensor found, Action<int> compared)
    {
        if (!source.Shape.AsSpan().SequenceEqual(found.Shape.AsSpan())) return $"expected [{string.Join(", ", source.Shape)}], found [{string.Join(", ", found.Shape)}]";
        bool isSame = source.DType == found.DType;
        if (!isSame && (source.DType.IsInteger() || found.DType.IsInteger() || !(Rounding.IsTarget(found.DType) || found.DType == FileDType.F64))) return $"expected {source.DType.Name()}, found {found.DType.Name()}";
        string? difference = null;
        for (long first = 0; first < source.Count && difference is null; first += PlannedTensor.Piece)
        {
            int count = (int)Math.Min(PlannedTensor.Piece, source.Count - first);
            difference = isSame ? DifferentBits(source, found, first, count) : DifferentValues(source, found, first, count);
            compared(count * source.DType.Size());
            source.Release();
            found.ReleasePages();
        }
        return difference;
    }

    private string? DifferentBits(WeightView source, StoredTensor found, long first, int count)
    {
        int size = source.DType.Size();
        Span<byte> expected = _expectedBytes.AsSpan(0, count * size), bytes = _foundBytes.AsSpan(0, count * size);
        source.ReadStored(first, expected);
        found.ReadBytes(first * size, bytes);
        int at = expected.CommonPrefixLength(bytes) / size;
        return at == count ? null : $"element {first + at}: expected the bits {Bits(expected.Slice(at * size, size))}, found {Bits(bytes.Slice(at * size, size))}";
    }

    private string? DifferentValues(WeightView source, StoredTensor found, long first, int count)
    {
        Span<float> expected = _expected.AsSpan(0, count), values = _found.AsSpan(0, count);
        source.Read(first, expected);
        found.ReadFloats(first, values);
        Rounding.Round(found.DType, expected);
        for (int i = 0; i < count; i++)
        {
            if (expected[i].Equals(values[i]) || Math.Abs((double)expected[i] - values[i]) <= tolerance * Math.Max(1, Math.Abs((double)expected[i]))) continue;
            return string.Create(CultureInfo.InvariantCulture, $"element {first + i}: expected {expected[i]:g9}, found {values[i]:g9}");
        }
        return null;
    }

    /// <summary>As one number, the highest byte first.</summary>
    private static string Bits(ReadOnlySpan<byte> element)
    {
        byte[] reversed = element.ToArray();
        Array.Reverse(reversed);
        return System.Convert.ToHexStringLower(reversed);
    }
}
