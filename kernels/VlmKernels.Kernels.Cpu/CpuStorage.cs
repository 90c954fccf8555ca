using System.Runtime.InteropServices;

namespace VlmKernels.Kernels.Cpu;

/// <summary>Native memory, aligned to 256 bytes (large blocks to a huge page), with a vector's width of slack behind its end; or memory of the host, as it is.</summary>
internal sealed unsafe class CpuStorage : Storage
{
    private const int Alignment = 256;
    private readonly SafeBuffer? _mapped;
    private byte* _base;

    public CpuStorage(long bytes)
    {
        Bytes = bytes;
        bool huge = bytes >= HugePages.Bytes;
        _base = (byte*)NativeMemory.AlignedAlloc(checked((nuint)bytes + Alignment), huge ? (nuint)HugePages.Bytes : Alignment);
        if (huge) HugePages.Ask(_base, bytes);
    }

    /// <summary>Host memory, read in place and held open until it is disposed.</summary>
    public CpuStorage(in MapRequest request)
    {
        Bytes = request.Bytes;
        _mapped = request.Memory;
        _mapped.AcquirePointer(ref _base);
        _base += request.Offset;
    }

    public override long Bytes { get; }

    public override bool IsReadOnly => _mapped is not null;

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
        if (_base is null) return;
        if (_mapped is null) NativeMemory.AlignedFree(_base);
        else _mapped.ReleasePointer();
        _base = null;
    }
}
