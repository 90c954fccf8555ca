using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Sizes of a transformer.</summary>
/// <param name="HiddenSize">Width of a token.</param>
/// <param name="MlpSize">Width between the two layers of the MLP.</param>
/// <param name="Layers">Number of blocks.</param>
/// <param name="Heads">Attention heads; they divide the hidden size.</param>
/// <param name="Activation">Of the MLP. No checkpoint's tensors tell it.</param>
/// <param name="NormEpsilon">ε of the layer norms.</param>
public sealed record TransformerConfig(int HiddenSize, int MlpSize, int Layers, int Heads, Activation Activation, float NormEpsilon = 1e-5f);
