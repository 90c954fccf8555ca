using System.Runtime.InteropServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Native memory, aligned to 256 bytes, with a vector's width of slack behind its end.</summary>
internal sealed unsafe class CpuStorage : Storage
{
    private const int Alignment = 256;
    private byte* _base;

    public CpuStorage(long bytes)
    {
        Bytes = bytes;
        _base = (byte*)NativeMemory.AlignedAlloc(checked((nuint)bytes + Alignment), Alignment);
    }

    public override long Bytes { get; }

    /// <summary>First byte.</summary>
    /// <exception cref="ObjectDisposedException">The memory was given back.</exception>
    public byte* Base
    {
        get
        {
            ObjectDisposedException.ThrowIf(_base is null, this);
            return _base;
        }
    }

    /// <summary>Address of a tensor's first element; null for "none".</summary>
    public static float* Floats(Tensor t) => (float*)Address(t);

    /// <summary>Address of a tensor's first element; null for "none".</summary>
    public static byte* Address(Tensor t) => t.IsNone ? null : ((CpuStorage)t.Storage!).Base + t.Offset;

    public override void Dispose()
    {
        NativeMemory.AlignedFree(_base);
        _base = null;
    }
}
