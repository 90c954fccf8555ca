using System.Collections.Immutable;
using System.Runtime.InteropServices;
using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>Answers any name with the expected shape and zeros: for planning a model of any size without its weights.</summary>
public sealed class PlannedWeights : IWeightSource
{
    /// <inheritdoc/>
    public string Origin => "no weights";

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => [];

    /// <inheritdoc/>
    public bool Has(string name) => false;

    /// <inheritdoc/>
    public WeightView? Find(string name, Shape expected) => new MadeView(name, expected, 0, 0, 0);

    /// <inheritdoc/>
    public string NameInFile(string name) => name;
}

/// <summary>
/// Answers any name with seeded random values of the expected shape, the same for every run and machine: for timing models of published
/// sizes without their weights. Activations stay near unit size: matrices are scaled by their width, norm weights and variances lie near 1.
/// </summary>
/// <param name="seed">Chooses the values.</param>
public sealed class RandomWeights(int seed) : IWeightSource
{
    /// <inheritdoc/>
    public string Origin => $"random weights (seed {seed})";

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => [];

    /// <inheritdoc/>
    public bool Has(string name) => false;

    /// <inheritdoc/>
    public WeightView? Find(string name, Shape expected)
    {
        ulong stream = 14695981039346656037UL ^ (uint)seed;
        foreach (char c in name) stream = (stream ^ c) * 1099511628211UL; // FNV-1a: the same on every run, unlike string.GetHashCode
        if (expected.Rank > 1) return new MadeView(name, expected, stream, 0, (float)Math.Sqrt(3.0 * expected[0] / expected.Count));
        bool nearOne = name.EndsWith(".weight", StringComparison.Ordinal) || name.EndsWith(".running_var", StringComparison.Ordinal);
        return new MadeView(name, expected, stream, nearOne ? 1 : 0, 0.1f);
    }

    /// <inheritdoc/>
    public string NameInFile(string name) => name;
}

/// <summary>Values made from their place: centre ± up to spread.</summary>
internal sealed class MadeView(string name, Shape shape, ulong stream, float centre, float spread) : WeightView(name, "", FileDType.F32, Extents(shape))
{
    public override void ReadStored(long first, Span<byte> into) => Read(first, MemoryMarshal.Cast<byte, float>(into));

    public override void Read(long first, Span<float> into)
    {
        for (int i = 0; i < into.Length; i++) into[i] = centre + (spread * Uniform(stream + (ulong)(first + i)));
    }

    /// <summary>SplitMix64 (Steele, Lea and Flood 2014), its upper 24 bits as −1 … 1.</summary>
    private static float Uniform(ulong counter)
    {
        ulong z = counter * 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return ((int)((z ^ (z >> 31)) >> 40) * (2f / (1 << 24))) - 1;
    }

    private static ImmutableArray<long> Extents(Shape shape)
    {
        var extents = ImmutableArray.CreateBuilder<long>(shape.Rank);
        for (int i = 0; i < shape.Rank; i++) extents.Add(shape[i]);
        return extents.MoveToImmutable();
    }
}
