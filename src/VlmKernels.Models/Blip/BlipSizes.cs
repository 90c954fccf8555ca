using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>A size under which BLIP models are published.</summary>
/// <param name="Name">Tower and pixels per side: <c>BLIP-base-384</c>.</param>
/// <param name="Config">The sizes.</param>
public sealed record BlipSize(string Name, BlipConfig Config);

/// <summary>The published sizes (salesforce/BLIP, LAVIS), for planning and timing without weights.</summary>
public static class BlipSizes
{
    // Captions and retrieval at 384 pixels, answers at 480, pre-training at 224.
    private static readonly int[] ImageSizes = [224, 384, 480];

    /// <summary>All sizes, base first.</summary>
    public static IReadOnlyList<BlipSize> All { get; } =
    [
        .. ImageSizes.Select(size => Size("base", size, new TransformerConfig(768, 3072, 12, 12, Activation.Gelu, 1e-6f))),
        .. ImageSizes.Select(size => Size("large", size, new TransformerConfig(1024, 4096, 24, 16, Activation.Gelu, 1e-6f))),
    ];

    /// <summary>The size of that name, upper or lower case; null when there is none.</summary>
    public static BlipSize? Find(string name) => All.FirstOrDefault(s => s.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>Name of a model for messages: a published size's, or the sizes themselves.</summary>
    public static string Describe(BlipConfig config)
    {
        var (v, t) = (config.Vision, config.Text);
        if (All.FirstOrDefault(s => SameSizes(s.Config, config)) is { } size) return size.Name;
        return $"BLIP ViT {v.Block.HiddenSize}×{v.Block.Layers}, patch {v.PatchSize}, {v.ImageSize} px, text {t.Block.HiddenSize}×{t.Block.Layers}";
    }

    private static BlipSize Size(string name, int imageSize, TransformerConfig vision)
    {
        var text = new MedConfig(new TransformerConfig(768, 3072, 12, 12, Activation.Gelu, 1e-12f), Vocabulary: 30524, Context: 512);
        return new BlipSize($"BLIP-{name}-{imageSize}", new BlipConfig(new BlipVisionConfig(vision, imageSize, 16, PositionResizing.AtLoadPlain), text, BlipTokens.Published));
    }

    private static bool SameSizes(BlipConfig a, BlipConfig b) => Same(a.Vision.Block, b.Vision.Block) && Same(a.Text.Block, b.Text.Block)
        && (a.Vision.ImageSize, a.Vision.PatchSize) == (b.Vision.ImageSize, b.Vision.PatchSize);

    private static bool Same(TransformerConfig a, TransformerConfig b) => (a.HiddenSize, a.MlpSize, a.Layers) == (b.HiddenSize, b.MlpSize, b.Layers);
}
