using System.Runtime.InteropServices;

namespace VlmKernels.Weights.Tests.Tree;

/// <summary>A stored tensor whose elements lie in memory.</summary>
internal sealed class MemoryTensor(string name, float[] values, params long[] shape) : StoredTensor(name, "a.safetensors", FileDType.F32, [.. shape])
{
    public int Releases { get; private set; }

    public override void ReleasePages() => Releases++;

    protected override void CopyElements(long firstElement, Span<byte> into)
        => MemoryMarshal.AsBytes(values.AsSpan((int)firstElement))[..into.Length].CopyTo(into);

    /// <summary>Values 0, 1, 2, … of a shape.</summary>
    public static MemoryTensor Counting(string name, params long[] shape)
    {
        long count = shape.Aggregate(1L, (a, b) => a * b);
        return new MemoryTensor(name, [.. Enumerable.Range(0, (int)count).Select(i => (float)i)], shape);
    }
}
