using System.Text;
using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>Random values by name and place: any part can be made without the parts before it.</summary>
internal static class Seeded
{
    /// <summary>Values from place <paramref name="start"/> on.</summary>
    public static T[] Array<T>(string name, long count, long start, Func<long, ulong, T> value)
    {
        var values = new T[count];
        Fill(values, name, start, value);
        return values;
    }

    public static void Fill<T>(Span<T> values, string name, long start, Func<long, ulong, T> value)
    {
        ulong seed = 14695981039346656037;
        foreach (byte b in Encoding.UTF8.GetBytes(name)) seed = (seed ^ b) * 1099511628211;
        for (int i = 0; i < values.Length; i++) values[i] = value(start + i, Mix(seed + (0x9E3779B97F4A7C15 * (ulong)(start + i + 1))));
    }

    /// <summary>The finaliser of SplitMix64.</summary>
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}

/// <summary>A random matrix that is made as it is read.</summary>
internal sealed class SeededMatrix(string name, int rows, int columns, Func<long, ulong, float> value) : MatrixSource
{
    public override int Rows => rows;

    public override int Columns => columns;

    public override void Read(int row, int count, Span<float> into) => Seeded.Fill(into[..(count * columns)], name, (long)row * columns, value);
}
