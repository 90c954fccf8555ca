using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace VlmKernels.Perf;

/// <summary>Where the calling thread, and threads that it starts later, may run.</summary>
internal static partial class Affinity
{
    private const int MaskBytes = 128;

    /// <summary>Keeps the calling thread to the first cores that the process may use.</summary>
    /// <exception cref="Win32Exception">The operating system refused.</exception>
    [SupportedOSPlatform("linux")]
    public static void Use(int cores)
    {
        Span<byte> mask = stackalloc byte[MaskBytes];
        if (GetAffinity(0, MaskBytes, ref mask[0]) < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        for (int bit = 0, kept = 0; bit < MaskBytes * 8; bit++)
        {
            bool allowed = (mask[bit / 8] >> (bit % 8) & 1) != 0;
            if (allowed && kept++ >= cores) mask[bit / 8] &= (byte)~(1 << (bit % 8));
        }
        if (SetAffinity(0, MaskBytes, ref mask[0]) < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nint bytes, ref byte mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nint bytes, ref byte mask);
}
