using System.Runtime.InteropServices;

namespace VlmKernels.Testing.OpTable;

/// <summary>Native memory of a test, to be mapped by a backend.</summary>
public sealed unsafe class HostMemory : SafeBuffer
{
    /// <summary>Takes memory; what it holds is open.</summary>
    public HostMemory(long bytes) : base(ownsHandle: true)
    {
        SetHandle((nint)NativeMemory.Alloc((nuint)Math.Max(1, bytes)));
        Initialize((ulong)bytes);
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        NativeMemory.Free((void*)handle);
        return true;
    }
}
