using VlmKernels.Kernels;
using VlmKernels.Testing.OpTable;

namespace VlmKernels.Kernels.Tests;

/// <summary>Runs one row of the op table.</summary>
internal static class OpRun
{
    /// <summary>The result, row by row.</summary>
    public static float[] Run(OpCase c, IBackend backend, int firstItem = 0)
    {
        using var session = new Session(backend);
        using var inputs = new OpInputs(c, session, backend, firstItem);
        return Run(c, session, inputs);
    }

    /// <summary>The result, row by row, and the names of buffers that were written to where they must not be.</summary>
    public static (float[] Values, string[] Disturbed) RunGuarded(OpCase c, IBackend backend)
    {
        using var session = new Session(backend);
        using var inputs = new OpInputs(c, session, backend);
        return (Run(c, session, inputs), [.. inputs.Disturbed()]);
    }

    /// <summary>Bits, so that NaN equals itself and −0 differs from 0.</summary>
    public static ReadOnlySpan<int> Bits(ReadOnlySpan<float> values) => System.Runtime.InteropServices.MemoryMarshal.Cast<float, int>(values);

    /// <summary>Null when all values agree, else the first that does not: |a − b| ≤ tolerance · max(1, |b|), NaN only where NaN is expected, infinities equal.</summary>
    public static string? Difference(ReadOnlySpan<float> found, ReadOnlySpan<float> expected, float tolerance)
    {
        if (found.Length != expected.Length) return $"{expected.Length} values expected, found {found.Length}";
        int worst = -1;
        double worstError = 0;
        for (int i = 0; i < found.Length; i++)
        {
            double error = Error(found[i], expected[i]);
            if (error > worstError) (worst, worstError) = (i, error);
        }
        return worstError <= tolerance ? null : $"[{worst}] is {found[worst]:R}, expected {expected[worst]:R}: error {worstError:E2} > {tolerance:E2}";
    }

    private static float[] Run(OpCase c, Session session, OpInputs inputs)
    {
        var y = c.Enqueue(session, inputs);
        float[] values = new float[y.Shape.Count];
        session.CopyOut(y, values.AsSpan());
        return values;
    }

    private static double Error(float found, float expected)
    {
        if (found == expected || (float.IsNaN(found) && float.IsNaN(expected))) return 0;
        double error = Math.Abs((double)found - expected) / Math.Max(1, Math.Abs((double)expected));
        return double.IsNaN(error) || !float.IsFinite(expected) ? double.PositiveInfinity : error;
    }
}
