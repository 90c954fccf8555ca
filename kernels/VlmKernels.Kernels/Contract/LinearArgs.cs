namespace VlmKernels.Kernels;

/// <summary>Elementwise functions that run inside an epilogue. QuickGelu is x·σ(1.702x); Gelu is exact (erf).</summary>
public enum Activation : byte
{
    /// <summary>x.</summary>
    None,
    /// <summary>max(x, 0).</summary>
    Relu,
    /// <summary>x·Φ(x), with erf accurate to 1e-7.</summary>
    Gelu,
    /// <summary>The tanh approximation of GELU.</summary>
    GeluTanh,
    /// <summary>x·σ(1.702x).</summary>
    QuickGelu,
    /// <summary>x·σ(x).</summary>
    Silu,
    /// <summary>σ(x).</summary>
    Sigmoid,
    /// <summary>tanh(x).</summary>
    Tanh,
}

/// <summary>What follows a product while it is still in registers: y = act(product + bias + residual).</summary>
/// <param name="Activation">The function applied last.</param>
/// <param name="Residual">Same shape as y, A; may be y itself. None: nothing is added.</param>
public readonly record struct Epilogue(Activation Activation = Activation.None, Tensor Residual = default);

/// <summary>Arguments of <see cref="IOps.Linear"/>.</summary>
/// <param name="X">[.., inputs] A.</param>
/// <param name="Weight">Packed with <see cref="WeightUse.Linear"/>; brings its bias.</param>
/// <param name="Y">[.., outputs] A or F; must not overlap X.</param>
public readonly record struct LinearArgs(Tensor X, PackedWeight Weight, Tensor Y)
{
    /// <summary>Activation and residual.</summary>
    public Epilogue Epilogue { get; init; }
}

/// <summary>Arguments of <see cref="IOps.MatMul"/>.</summary>
/// <param name="X">[b, m, k] F, or [m, k].</param>
/// <param name="W">[b, n, k] F, or [n, k], which every batch shares.</param>
/// <param name="Y">[b, m, n] F, or [m, n].</param>
/// <param name="Scale">Multiplies every product.</param>
public readonly record struct MatMulArgs(Tensor X, Tensor W, Tensor Y, float Scale = 1);
