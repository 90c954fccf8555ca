using System.Runtime.InteropServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Large blocks on pages of 2 MiB where Linux gives them: products read megabytes per microsecond-long step, and a table of 4-KiB pages that long
/// does not stay in the processor (see docs/kernels.md for what it costs).
/// </summary>
internal static unsafe partial class HugePages
{
    /// <summary>Size and alignment of such a page.</summary>
    public const int Bytes = 2 << 20;

    private const int MadvHugePage = 14;

    /// <summary>Asks for them; whole pages only, so that nothing is used beyond the block. It is a wish: a kernel without them changes nothing.</summary>
    /// <param name="block">Aligned to <see cref="Bytes"/>.</param>
    /// <param name="bytes">Size of the block.</param>
    public static void Ask(void* block, long bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Advise(block, (nuint)(bytes / Bytes * Bytes), MadvHugePage);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
