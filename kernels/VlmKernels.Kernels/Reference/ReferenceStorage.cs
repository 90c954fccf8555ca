using System.Runtime.InteropServices;

namespace VlmKernels.Kernels;

/// <summary>Native memory of the reference backend. Fresh memory is NaN, so that a read before the first write shows.</summary>
internal sealed unsafe class ReferenceStorage : Storage
{
    private readonly ReferenceBackend _backend;
    private byte* _memory;

    public ReferenceStorage(ReferenceBackend backend, long bytes, bool readOnly = false)
    {
        if (bytes < 0) throw new ContractException($"Allocate: expected at least 0 bytes, found {bytes}");
        (_backend, Bytes, IsReadOnly) = (backend, bytes, readOnly);
        _memory = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, bytes));
        Poison(0, bytes);
    }

    ~ReferenceStorage() => NativeMemory.Free(_memory);

    public override long Bytes { get; }

    public override bool IsReadOnly { get; }

    /// <summary>Address of a byte, for as long as the caller keeps the storage alive.</summary>
    public byte* At(long offset)
    {
        if (_memory is null) throw new ContractException("the memory of a tensor was given back before it was used");
        return _memory + offset;
    }

    /// <summary>Writes the NaN of all ones over a range.</summary>
    public void Poison(long offset, long bytes) => NativeMemory.Fill(At(offset), (nuint)bytes, 0xFF);

    public override void Dispose()
    {
        _backend.FinishAll();
        NativeMemory.Free(_memory);
        _memory = null;
        GC.SuppressFinalize(this);
    }
}
