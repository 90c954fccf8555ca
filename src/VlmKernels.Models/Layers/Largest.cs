namespace VlmKernels.Models;

/// <summary>Selection of a few largest values on the host.</summary>
internal static class Largest
{
    /// <summary>Indices of the largest values, largest first; of equal ones the lower index comes first.</summary>
    public static int[] Of(ReadOnlySpan<float> values, int count)
    {
        var order = new int[values.Length];
        for (int i = 0; i < order.Length; i++) order[i] = i;
        float[] keys = values.ToArray();
        Array.Sort(order, (a, b) => keys[b].CompareTo(keys[a]) is var byValue and not 0 ? byValue : a.CompareTo(b));
        return order[..count];
    }
}
