using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Scales rows to length 1, so that products are cosines.</summary>
internal static class UnitLength
{
    // The floor of torch.nn.functional.normalize.
    private const float NormEpsilon = 1e-12f;

    /// <summary>Scales every row of x [n, width]; the result may replace it.</summary>
    public static Tensor Apply(Session s, Tensor x, Tensor into)
    {
        s.Ops.Norm(new NormArgs(x, into, NormKind.L2, NormEpsilon));
        return into;
    }
}
