using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Brings some rows into the order of the micro-kernel: [k][stride], so that a step of k reads neighbours.</summary>
internal static unsafe class TilePacker
{
    private const int Run = 64, LineFloats = 16;

    /// <summary>into[k·stride + r] = source[r][k] for r below <paramref name="rows"/>, 0 for the others.</summary>
    public static void Pack(float** source, int rows, int k, float* into, int stride)
    {
        if (rows < stride) new Span<float>(into, k * stride).Clear();
        // In short runs of k, so that what is written stays in the first-level cache until all rows are in it.
        for (int from = 0; from < k; from += Run) PackRun(source, rows, from, Math.Min(Run, k - from), into + ((nint)from * stride), stride);
    }

    private static void PackRun(float** source, int rows, int from, int count, float* into, int stride)
    {
        // Many short streams are more than the processor foresees; the rows often lie in another core's cache.
        for (int i = 0; i < rows; i++)
        {
            for (int line = 0; line < Run; line += LineFloats) Ask(source[i] + from + Run + line);
        }
        int r = 0;
        for (; r + 4 <= rows; r += 4) PackFour(source[r] + from, source[r + 1] + from, source[r + 2] + from, source[r + 3] + from, count, into + r, stride);
        for (; r < rows; r++)
        {
            float* row = source[r] + from;
            for (int i = 0; i < count; i++) into[((nint)i * stride) + r] = row[i];
        }
    }

    private static void PackFour(float* s0, float* s1, float* s2, float* s3, int k, float* into, nint stride)
    {
        int i = 0;
        for (; i + 4 <= k; i += 4)
        {
            Vector128<float> a = Vector128.Load(s0 + i), b = Vector128.Load(s1 + i), c = Vector128.Load(s2 + i), d = Vector128.Load(s3 + i);
            Vector128<float> ab = Low(a, b), cd = Low(c, d), ef = High(a, b), gh = High(c, d);
            float* to = into + (i * stride);
            LowPairs(ab, cd).Store(to);
            HighPairs(ab, cd).Store(to + stride);
            LowPairs(ef, gh).Store(to + (2 * stride));
            HighPairs(ef, gh).Store(to + (3 * stride));
        }
        for (; i < k; i++)
        {
            float* to = into + (i * stride);
            (to[0], to[1], to[2], to[3]) = (s0[i], s1[i], s2[i], s3[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Ask(float* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>a0 b0 a1 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> a, Vector128<float> b)
        => Sse.IsSupported ? Sse.UnpackLow(a, b)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b)
            : Vector128.Create(a[0], b[0], a[1], b[1]);

    /// <summary>a2 b2 a3 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> a, Vector128<float> b)
        => Sse.IsSupported ? Sse.UnpackHigh(a, b)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b)
            : Vector128.Create(a[2], b[2], a[3], b[3]);

    /// <summary>a0 a1 b0 b1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowPairs(Vector128<float> a, Vector128<float> b)
        => Sse.IsSupported ? Sse.MoveLowToHigh(a, b)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a.AsDouble(), b.AsDouble()).AsSingle()
            : Vector128.Create(a[0], a[1], b[0], b[1]);

    /// <summary>a2 a3 b2 b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> HighPairs(Vector128<float> a, Vector128<float> b)
        => Sse.IsSupported ? Sse.MoveHighToLow(b, a)
            : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a.AsDouble(), b.AsDouble()).AsSingle()
            : Vector128.Create(a[2], a[3], b[2], b[3]);
}
