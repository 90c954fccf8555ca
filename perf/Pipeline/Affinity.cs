using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace VlmKernels.Perf;

/// <summary>Which cores the threads of this process may use.</summary>
internal static partial class Affinity
{
    private const int MaskBytes = 128, NoSuchProcess = 3;

    private static readonly byte[] Allowed = ReadAllowed();

    /// <summary>
    /// Keeps all threads that exist now to the first cores of those that the process was given. A thread that is started later may use all of them:
    /// the runtime sees to that.
    /// </summary>
    /// <exception cref="Win32Exception">The operating system refused.</exception>
    [SupportedOSPlatform("linux")]
    public static void Use(int cores)
    {
        Span<byte> mask = stackalloc byte[MaskBytes];
        for (int core = 0, kept = 0; core < MaskBytes * 8 && kept < cores; core++)
        {
            if ((Allowed[core / 8] >> (core % 8) & 1) == 0) continue;
            mask[core / 8] |= (byte)(1 << (core % 8));
            kept++;
        }
        foreach (string task in Directory.GetDirectories("/proc/self/task"))
        {
            bool isRefused = SetAffinity(int.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture), MaskBytes, ref mask[0]) < 0 && Marshal.GetLastPInvokeError() != NoSuchProcess;
            if (isRefused) throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    private static byte[] ReadAllowed()
    {
        byte[] mask = new byte[MaskBytes];
        if (OperatingSystem.IsLinux() && GetAffinity(0, MaskBytes, ref mask[0]) < 0) throw new Win32Exception(Marshal.GetLastPInvokeError());
        return mask;
    }

    [LibraryImport("libc", EntryPoint = "sched_getaffinity", SetLastError = true)]
    private static partial int GetAffinity(int thread, nint bytes, ref byte mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity", SetLastError = true)]
    private static partial int SetAffinity(int thread, nint bytes, ref byte mask);
}
