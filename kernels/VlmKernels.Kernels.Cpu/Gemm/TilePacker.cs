using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Brings some rows into the order of the micro-kernel: [k][stride], so that a step of k reads neighbours.</summary>
internal static unsafe class TilePacker
{
    /// <summary>into[k·stride + r] = source[r][k] for r below <paramref name="rows"/>, 0 for the others.</summary>
    public static void Pack(float** source, int rows, int k, float* into, int stride)
    {
        if (rows < stride) new Span<float>(into, k * stride).Clear();
        int r = 0;
        for (; r + 4 <= rows; r += 4) PackFour(source + r, k, into + r, stride);
        for (; r < rows; r++)
        {
            float* from = source[r];
            for (int i = 0; i < k; i++) into[((nint)i * stride) + r] = from[i];
        }
    }

    private static void PackFour(float** source, int k, float* into, nint stride)
    {
        float* s0 = source[0], s1 = source[1], s2 = source[2], s3 = source[3];
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> LowPairs(Vector128<float> a, Vector128<float> b) => Vector128.Create(a.GetLower(), b.GetLower());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> HighPairs(Vector128<float> a, Vector128<float> b) => Vector128.Create(a.GetUpper(), b.GetUpper());
}
