using VlmKernels.Kernels;

namespace VlmKernels.Tasks.Verification;

/// <summary>
/// Finds the intermediate values of BLIP goldens in what the model shows: <c>enc.layer0.self</c> is stage <c>enc.self</c> at 0. The goldens have
/// patches without positions; they are a difference of what is shown.
/// </summary>
internal sealed class BlipMids(TapRecorder taps)
{
    /// <summary>Values that a call computes itself.</summary>
    public Dictionary<string, HostTensor> Own { get; } = [];

    public HostTensor? Find(string stage)
    {
        if (Own.TryGetValue(stage, out var own)) return own;
        string[] parts = stage.Split('.');
        return parts switch
        {
            ["vis", "patch"] => Patches(),
            ["vis", var block] when Index(block, "block", out int i) => taps["vis.block", i],
            [var module, var layer, var part] when Index(layer, "layer", out int i) => taps[$"{module}.{part}", i],
            _ => taps[stage],
        };
    }

    private HostTensor? Patches()
    {
        if (taps["vis.embeddings"] is not { } all || taps["vision.positions"] is not { } positions) return null;
        int batch = all.Shape[0], patches = all.Shape[1] - 1, width = all.Shape[2];
        return all.Minus(positions).MapBehind(1, 1, patches) with { Shape = [batch, patches, width] };
    }

    private static bool Index(string text, string prefix, out int index)
    {
        index = -1;
        return text.StartsWith(prefix, StringComparison.Ordinal) && int.TryParse(text.AsSpan(prefix.Length), out index);
    }
}
