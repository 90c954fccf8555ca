namespace VlmKernels.Kernels;

/// <summary>Element type of a tensor in a backend's memory. Types that exist only in files or inside a packed weight are not here.</summary>
public enum DType : byte
{
    /// <summary>IEEE 754 binary32: activations, embeddings, logits.</summary>
    F32,
    /// <summary>32-bit signed integer: token ids, row indices, lengths.</summary>
    I32,
    /// <summary>8-bit unsigned integer: pixels, 0/1 masks.</summary>
    U8,
    /// <summary>IEEE 754 binary16, as it is stored: rows of <see cref="IOps.InnerProduct"/>. Nothing is computed in it.</summary>
    F16,
}

/// <summary>Sizes of <see cref="DType"/>.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType type) => type switch { DType.U8 => 1, DType.F16 => 2, _ => 4 };
}
