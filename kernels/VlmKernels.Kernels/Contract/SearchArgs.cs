namespace VlmKernels.Kernels;

/// <summary>Arguments of <see cref="IOps.InnerProduct"/>.</summary>
/// <param name="X">[queries, d] F: a few.</param>
/// <param name="Rows">[n, d] F32 or F16: very many, each read once for all queries.</param>
/// <param name="Y">[queries, n] F.</param>
public readonly record struct InnerProductArgs(Tensor X, Tensor Rows, Tensor Y);

/// <summary>
/// Arguments of <see cref="IOps.TopK"/>: the k largest of each row, largest first; of equal values the lower column. NaN counts as larger than
/// every number, as in PyTorch, so that it shows.
/// </summary>
/// <param name="X">[.., n] F.</param>
/// <param name="Values">[.., k] F, k from 1 to n.</param>
/// <param name="Ids">[.., k] I: columns of x.</param>
public readonly record struct TopKArgs(Tensor X, Tensor Values, Tensor Ids);
