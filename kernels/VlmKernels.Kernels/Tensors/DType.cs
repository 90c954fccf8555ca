namespace VlmKernels.Kernels;

/// <summary>
/// Element type of a tensor in a backend's memory. Types that exist only in files or inside a packed weight are not here;
/// half types join with the first backend that computes in them.
/// </summary>
public enum DType : byte
{
    /// <summary>IEEE 754 binary32: activations, embeddings, logits.</summary>
    F32,
    /// <summary>32-bit signed integer: token ids, row indices, lengths.</summary>
    I32,
    /// <summary>8-bit unsigned integer: pixels, 0/1 masks.</summary>
    U8,
}

/// <summary>Sizes of <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) => type == DType.U8 ? 1 : 4;
}
