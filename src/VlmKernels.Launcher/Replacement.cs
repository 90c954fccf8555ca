using System.Runtime.InteropServices;

namespace VlmKernels.Launcher;

/// <summary>Replaces this process by another program: same process id, terminal, pipes and signals.</summary>
internal static unsafe partial class Replacement
{
    private const int CannotStart = 127;

    /// <summary>Starts the program; returns only when that fails.</summary>
    public static int Start(string program, string[] arguments)
    {
        // execv takes a null-terminated array. Nothing is freed: either the process is gone, or it ends at once.
        byte** all = (byte**)NativeMemory.AllocZeroed((nuint)(arguments.Length + 2), (nuint)sizeof(byte*));
        all[0] = (byte*)Marshal.StringToCoTaskMemUTF8(program);
        for (int i = 0; i < arguments.Length; i++) all[i + 1] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        Execute(all[0], all);
        // Before the console is touched: opening it makes system calls that overwrite the error.
        string why = Marshal.GetLastPInvokeErrorMessage();
        Console.Error.WriteLine($"vlm: cannot start {program}: {why}");
        return CannotStart;
    }

    [LibraryImport("libc", EntryPoint = "execv", SetLastError = true)]
    private static partial int Execute(byte* path, byte** arguments);
}
