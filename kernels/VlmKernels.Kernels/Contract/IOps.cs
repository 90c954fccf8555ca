namespace VlmKernels.Kernels;

/// <summary>
/// The operations of a backend. Every call only enqueues: the work may run later, in the order of the calls; only
/// <see cref="IQueue.CopyOut"/> waits. <b>F</b> = F32, <b>A</b> = the backend's activation type, <b>I</b> = I32, <b>U</b> = U8.
/// How an output element is summed belongs to the operation, not to the launch: its bits depend neither on the batch nor on threads.
/// Argument checks happen once for all backends, in <see cref="CheckedOps"/>.
/// </summary>
public interface IOps
{
    /// <summary>y = act(x·Wᵀ + bias + residual); x [.., inputs] A, y [.., outputs] A or F.</summary>
    void Linear(in LinearArgs a);

    /// <summary>y = scale · x·wᵀ; x [b, m, k], w [b or 1, n, k], y [b, m, n], all F. Similarities.</summary>
    void MatMul(in MatMulArgs a);

    /// <summary>y = x·rowsᵀ; x [queries, d] F, rows [n, d] F32 or F16, y [queries, n] F. Exhaustive search: rows stream through once.</summary>
    void InnerProduct(in InnerProductArgs a);

    /// <summary>y = act(conv(x) + bias + residual); x [b, h, w, c] A, y [b, h', w', outputs] A.</summary>
    void Conv2d(in ConvArgs a);

    /// <summary>Pixels U or F [b, h, w, 3] to tokens A [b, n, width]: patches, class token and positions in one pass.</summary>
    void PatchEmbed(in PatchEmbedArgs a);

    /// <summary>y = softmax(q·kᵀ·scale + mask)·v per head; q [b, n, heads·d], k and v [b', m, heads·d], b a multiple of b', or a cache.</summary>
    void Attention(in AttentionArgs a);

    /// <summary>Writes k and v [b, n, heads·d] A into the slots of a cache, from each row's position on.</summary>
    void AppendKv(in AppendKvArgs a);

    /// <summary>Row-wise normalisation of x (+ residual).</summary>
    void Norm(in NormArgs a);

    /// <summary>y = a + b or a ⊙ b, where the rows of b repeat.</summary>
    void Combine(in CombineArgs a);

    /// <summary>Mean or sum of each group of consecutive rows: x [groups·n, c] → y [groups, c].</summary>
    void Reduce(in ReduceArgs a);

    /// <summary>Softmax or log-softmax of each row, F.</summary>
    void Softmax(in SoftmaxArgs a);

    /// <summary>The k largest of each row and where they are: x [.., n] → values [.., k] F, ids [.., k] I.</summary>
    void TopK(in TopKArgs a);

    /// <summary>Maximum or average over the valid cells of a window; x [b, h, w, c], y [b, h', w', c], A.</summary>
    void Pool2d(in PoolArgs a);

    /// <summary>ids I [b, n] → A [b, n, width]: rows of a table plus positions.</summary>
    void Embed(in EmbedArgs a);

    /// <summary>Copies groups of rows: strided, broadcast or by index.</summary>
    void CopyRows(in CopyRowsArgs a);

    /// <summary>Pixels U [b, h, w, 3] through a table [3, 256] F to A: bit-exact scaling and normalisation.</summary>
    void PixelsToFloat(in PixelsArgs a);
}
