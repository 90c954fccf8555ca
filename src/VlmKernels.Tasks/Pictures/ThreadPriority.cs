using System.Runtime.InteropServices;

namespace VlmKernels.Tasks;

/// <summary>Priority of single threads, which .NET leaves alone on Linux.</summary>
internal static partial class ThreadPriority
{
    private const int OfThread = 0, Caller = 0, Background = 19;

    /// <summary>Lets the calling thread run only where nothing else wants to. Does nothing where that is not possible.</summary>
    public static void Lower()
    {
        if (OperatingSystem.IsLinux()) _ = SetPriority(OfThread, Caller, Background);
    }

    [LibraryImport("libc", EntryPoint = "setpriority")]
    private static partial int SetPriority(int which, int who, int priority);
}
