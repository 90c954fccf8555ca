using VlmKernels.Kernels;

namespace VlmKernels.Perf;

/// <summary>Times every operation of another queue and names it by its shape.</summary>
internal sealed class ProfilingQueue(IQueue inner, Profile profile) : IQueue
{
    public void Linear(in LinearArgs a)
    {
        using (profile.Time("Linear", $"{a.X.Rows}x{a.Weight.Inputs}->{a.Weight.Outputs}{Of(a.Epilogue)}", Cost.Of(a))) inner.Linear(a);
    }

    public void MatMul(in MatMulArgs a)
    {
        using (profile.Time("MatMul", $"{a.X.Shape} · {a.W.Shape}", Cost.Of(a))) inner.MatMul(a);
    }

    public void InnerProduct(in InnerProductArgs a)
    {
        using (profile.Time("InnerProduct", $"{a.X.Shape} · {a.Rows.Shape}", Cost.Of(a))) inner.InnerProduct(a);
    }

    public void Conv2d(in ConvArgs a)
    {
        using (profile.Time("Conv2d", $"{a.X.Shape} -> {a.Y.Shape}, {a.Stencil.Kernel}x{a.Stencil.Kernel}{Of(a.Epilogue)}", Cost.Of(a))) inner.Conv2d(a);
    }

    public void PatchEmbed(in PatchEmbedArgs a)
    {
        using (profile.Time("PatchEmbed", $"{a.Pixels.Shape} -> {a.Y.Shape}", Cost.Of(a))) inner.PatchEmbed(a);
    }

    public void Attention(in AttentionArgs a)
    {
        using (profile.Time("Attention", $"{a.Q.Shape}, {a.Keys} keys, {a.Heads} heads", Cost.Of(a))) inner.Attention(a);
    }

    public void AppendKv(in AppendKvArgs a)
    {
        using (profile.Time("AppendKv", $"{a.K.Shape}", Cost.Of(a))) inner.AppendKv(a);
    }

    public void Norm(in NormArgs a)
    {
        using (profile.Time("Norm", $"{a.Kind} {a.X.Shape}", Cost.Of(a))) inner.Norm(a);
    }

    public void Combine(in CombineArgs a)
    {
        using (profile.Time("Combine", $"{a.Y.Shape}", Cost.Of(a))) inner.Combine(a);
    }

    public void Reduce(in ReduceArgs a)
    {
        using (profile.Time("Reduce", $"{a.X.Shape}", Cost.Of(a))) inner.Reduce(a);
    }

    public void Softmax(in SoftmaxArgs a)
    {
        using (profile.Time("Softmax", $"{a.X.Shape}", Cost.Of(a))) inner.Softmax(a);
    }

    public void TopK(in TopKArgs a)
    {
        using (profile.Time("TopK", $"{a.X.Shape}", Cost.Of(a))) inner.TopK(a);
    }

    public void Pool2d(in PoolArgs a)
    {
        using (profile.Time("Pool2d", $"{a.X.Shape}", Cost.Of(a))) inner.Pool2d(a);
    }

    public void Embed(in EmbedArgs a)
    {
        using (profile.Time("Embed", $"{a.Y.Shape}", Cost.Of(a))) inner.Embed(a);
    }

    public void CopyRows(in CopyRowsArgs a)
    {
        using (profile.Time("CopyRows", $"{a.Groups}x{a.Count} of {a.X.Shape}", Cost.Of(a))) inner.CopyRows(a);
    }

    public void PixelsToFloat(in PixelsArgs a)
    {
        using (profile.Time("PixelsToFloat", $"{a.Pixels.Shape}", Cost.Of(a))) inner.PixelsToFloat(a);
    }

    public void CopyIn(ReadOnlySpan<byte> source, Tensor destination)
    {
        using (profile.Time("CopyIn", $"{destination.Shape}", new Cost(0, 2L * source.Length))) inner.CopyIn(source, destination);
    }

    public void CopyOut(Tensor source, Span<byte> destination)
    {
        using (profile.Time("CopyOut", $"{source.Shape}", new Cost(0, 2L * destination.Length))) inner.CopyOut(source, destination);
    }

    public void Discard(Storage storage, long offset, long bytes) => inner.Discard(storage, offset, bytes);

    public void Dispose() => inner.Dispose();

    private static string Of(Epilogue epilogue) => $"{(epilogue.Activation == Activation.None ? "" : $" {epilogue.Activation}")}{(epilogue.Residual.IsNone ? "" : " + residual")}";
}
