namespace VlmKernels.Kernels;

/// <summary>A square window over a feature map; the paddings may differ.</summary>
/// <param name="Kernel">Cells per side.</param>
/// <param name="Stride">Cells from one window to the next.</param>
/// <param name="PadBefore">Zero cells above and left.</param>
/// <param name="PadAfter">Zero cells below and right.</param>
public readonly record struct Stencil(int Kernel, int Stride = 1, int PadBefore = 0, int PadAfter = 0)
{
    /// <summary>Windows along a side of <paramref name="extent"/> cells.</summary>
    public int Windows(int extent) => ((extent + PadBefore + PadAfter - Kernel) / Stride) + 1;
}

/// <summary>Arguments of <see cref="IOps.Conv2d"/>. Batch normalisation is folded into the weight at load.</summary>
/// <param name="X">[b, h, w, c] A, dense.</param>
/// <param name="Weight">Packed with <see cref="WeightUse.Conv"/> for the same kernel size.</param>
/// <param name="Y">[b, h', w', outputs] A; must not overlap X.</param>
/// <param name="Stencil">Window, stride and zero padding.</param>
public readonly record struct ConvArgs(Tensor X, PackedWeight Weight, Tensor Y, Stencil Stencil)
{
    /// <summary>Activation and residual.</summary>
    public Epilogue Epilogue { get; init; }
}

/// <summary>Arguments of <see cref="IOps.PatchEmbed"/>.</summary>
/// <param name="Pixels">[b, h, w, 3], dense: U with a byte table, or F. Cells that fill no whole patch at the right and bottom are left out, as a strided convolution does.</param>
/// <param name="Weight">Packed with <see cref="WeightUse.Patch"/>; brings its bias.</param>
/// <param name="Y">[b, n, width] A: class token first when given, then the patches row by row.</param>
/// <param name="Patch">Side of a patch in pixels.</param>
public readonly record struct PatchEmbedArgs(Tensor Pixels, PackedWeight Weight, Tensor Y, int Patch)
{
    /// <summary>[3, 256] F, dense: the value of each byte of each channel; given exactly when pixels are U.</summary>
    public Tensor ByteTable { get; init; }

    /// <summary>[width] F: row 0 of every picture; none: no class token.</summary>
    public Tensor ClassToken { get; init; }

    /// <summary>[n, width] F: added to every row, the class token included; none: nothing is added.</summary>
    public Tensor Positions { get; init; }
}

/// <summary>What a pooling window gives.</summary>
public enum PoolKind : byte
{
    /// <summary>The average over the cells that exist.</summary>
    Average,
    /// <summary>The maximum over the cells that exist.</summary>
    Max,
}

/// <summary>Arguments of <see cref="IOps.Pool2d"/>.</summary>
/// <param name="X">[b, h, w, c] A, dense.</param>
/// <param name="Y">[b, h', w', c] A.</param>
/// <param name="Kind">Average or maximum; padding cells count for neither.</param>
/// <param name="Stencil">Window, stride and padding.</param>
public readonly record struct PoolArgs(Tensor X, Tensor Y, PoolKind Kind, Stencil Stencil);

/// <summary>Arguments of <see cref="IOps.PixelsToFloat"/>.</summary>
/// <param name="Pixels">[b, h, w, 3] U, dense.</param>
/// <param name="ByteTable">[3, 256] F, dense.</param>
/// <param name="Y">[b, h, w, 3] A.</param>
public readonly record struct PixelsArgs(Tensor Pixels, Tensor ByteTable, Tensor Y);
