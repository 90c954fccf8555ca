using System.Runtime.InteropServices;

namespace VlmKernels.Kernels;

/// <summary>A dense matrix in host memory that a backend shall read where it lies, such as a mapped file of embeddings.</summary>
/// <param name="Memory">The memory. The backend holds it open until the tensor's storage is disposed, also when its owner lets go of it before.</param>
/// <param name="Offset">Bytes from its start to the first element; any, aligned or not.</param>
/// <param name="Shape">Extents of the matrix.</param>
/// <param name="Type">Type of its elements, little-endian.</param>
public readonly record struct MapRequest(SafeBuffer Memory, long Offset, Shape Shape, DType Type)
{
    /// <summary>Size of the matrix in bytes.</summary>
    public long Bytes => Shape.Count * Type.Size();

    /// <summary>Checks what every backend asks for.</summary>
    /// <exception cref="ContractException">The matrix reaches outside its memory.</exception>
    public void Check()
    {
        if (Offset < 0 || (ulong)Offset > Memory.ByteLength || (ulong)Bytes > Memory.ByteLength - (ulong)Offset) throw new ContractException($"Map: {Type} {Shape} at byte {Offset} reaches outside its {Memory.ByteLength} bytes");
    }
}
