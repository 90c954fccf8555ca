namespace VlmKernels.Tasks.Verification;

/// <summary>
/// Finds the intermediate values of CLIP goldens in what the model shows. The model adds sub-layers to the residual stream as it computes them
/// and embeds patches together with their positions; the goldens have them alone. They are differences of what is shown.
/// </summary>
/// <param name="taps">What the model showed.</param>
/// <param name="tower"><c>vision</c> or <c>text</c>.</param>
/// <param name="grid">Rows and columns of patches; zeros for text.</param>
internal sealed class ClipMids(TapRecorder taps, string tower, (int Rows, int Columns) grid)
{
    public HostTensor? Find(string stage)
    {
        string[] parts = stage.Split('.');
        return parts switch
        {
            ["conv"] => Convolution(),
            ["pos_embed_resized"] => taps[$"{tower}.positions"],
            ["block", var layer] when Index(layer, out int i) => taps[$"{tower}.block", i],
            ["block", var layer, "attn"] when Index(layer, out int i) => Difference(taps[$"{tower}.attention", i], Before(i)),
            ["block", var layer, "mlp"] when Index(layer, out int i) => Difference(taps[$"{tower}.block", i], taps[$"{tower}.attention", i]),
            [var name, var block] when Index(block, out int i) && name.StartsWith("layer", StringComparison.Ordinal) => taps[$"{tower}.{name}", i]?.ChannelsFirst(),
            [var name, var block, "shortcut"] when Index(block, out int i) => taps[$"{tower}.{name}.shortcut", i]?.ChannelsFirst(),
            ["stem", _] => taps[$"{tower}.{stage}"]?.ChannelsFirst(),
            _ => taps[$"{tower}.{stage}"],
        };
    }

    /// <summary>The residual stream in front of a block.</summary>
    private HostTensor? Before(int block) => block > 0 ? taps[$"{tower}.block", block - 1] : taps[$"{tower}.ln_pre"] ?? taps[$"{tower}.embeddings"];

    /// <summary>Embeddings of the patches less their positions, as a map.</summary>
    private HostTensor? Convolution() => Difference(taps[$"{tower}.embeddings"], taps[$"{tower}.positions"])?.MapBehind(1, grid.Rows, grid.Columns).ChannelsFirst();

    private static HostTensor? Difference(HostTensor? a, HostTensor? b) => a is null || b is null ? null : a.Minus(b);

    private static bool Index(string text, out int index) => int.TryParse(text, out index);
}
