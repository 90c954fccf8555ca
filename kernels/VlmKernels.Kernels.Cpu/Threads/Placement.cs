using System.Runtime.InteropServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>
/// Keeps sleeping threads from being woken on the processor of the thread that wakes them. Linux does that where it does not know that processors
/// share a cache, as in many virtual machines, and needs milliseconds to notice that another one is idle.
/// </summary>
internal sealed unsafe partial class Placement
{
    private const int MaskBytes = 128;

    private readonly byte[] _allowed = new byte[MaskBytes];
    private readonly int[] _threads;
    private readonly bool _isUseful;

    /// <summary>For so many threads beside the calling one; does nothing where they would not all find a processor of their own.</summary>
    public Placement(int threads)
    {
        _threads = new int[threads];
        if (!OperatingSystem.IsLinux() || threads == 0) return;
        fixed (byte* mask = _allowed)
        {
            if (GetAffinity(0, MaskBytes, mask) <= 0) return;
        }
        int processors = 0;
        foreach (byte bits in _allowed) processors += System.Numerics.BitOperations.PopCount(bits);
        _isUseful = processors > threads;
    }

    /// <summary>Called by each thread when it starts.</summary>
    public void Register(int index)
    {
        if (_isUseful) Volatile.Write(ref _threads[index], GetThreadId());
    }

    /// <summary>Before a thread is woken: it must not run on the calling thread's processor.</summary>
    public void KeepAway(int index)
    {
        int thread = Volatile.Read(ref _threads[index]), here = thread == 0 ? -1 : GetProcessor();
        if (here < 0 || here >= MaskBytes * 8) return;
        byte* mask = stackalloc byte[MaskBytes];
        _allowed.CopyTo(new Span<byte>(mask, MaskBytes));
        mask[here / 8] &= (byte)~(1 << (here % 8));
        _ = SetAffinity(thread, MaskBytes, mask);
    }

    /// <summary>Called by a thread that was woken: from here on it may run anywhere, as the system sees fit.</summary>
    public void Release(int index)
    {
        if (_threads[index] == 0) return;
        fixed (byte* mask = _allowed) _ = SetAffinity(0, MaskBytes, mask);
    }

    [LibraryImport("libc", EntryPoint = "sched_getcpu")]
    private static partial int GetProcessor();

    [LibraryImport("libc", EntryPoint = "gettid")]
    private static partial int GetThreadId();

    [LibraryImport("libc", EntryPoint = "sched_getaffinity")]
    private static partial int GetAffinity(int thread, nint bytes, byte* mask);

    [LibraryImport("libc", EntryPoint = "sched_setaffinity")]
    private static partial int SetAffinity(int thread, nint bytes, byte* mask);
}
