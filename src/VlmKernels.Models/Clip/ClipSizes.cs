using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>A size under which CLIP models are published.</summary>
/// <param name="Name">As openai/CLIP and open_clip name it.</param>
/// <param name="Config">The sizes.</param>
public sealed record ClipSize(string Name, ClipConfig Config);

/// <summary>
/// The published sizes (openai/CLIP; open_clip <c>model_configs</c>), for planning and timing without weights. Activations are those of the
/// first publisher; retrained weights of the same size may use the other one.
/// </summary>
public static class ClipSizes
{
    /// <summary>All sizes, ViTs first.</summary>
    public static IReadOnlyList<ClipSize> All { get; } =
    [
        ViT("ViT-B/32", 512, 224, 32, 768, 12, 12, 3072, TextOf(512, 12), Activation.QuickGelu),
        ViT("ViT-B/16", 512, 224, 16, 768, 12, 12, 3072, TextOf(512, 12), Activation.QuickGelu),
        ViT("ViT-B/16-plus-240", 640, 240, 16, 896, 12, 14, 3584, TextOf(640, 12), Activation.Gelu),
        ViT("ViT-L/14", 768, 224, 14, 1024, 24, 16, 4096, TextOf(768, 12), Activation.QuickGelu),
        ViT("ViT-L/14@336px", 768, 336, 14, 1024, 24, 16, 4096, TextOf(768, 12), Activation.QuickGelu),
        ViT("ViT-H/14", 1024, 224, 14, 1280, 32, 16, 5120, TextOf(1024, 24), Activation.Gelu),
        ViT("ViT-g/14", 1024, 224, 14, 1408, 40, 16, 6144, TextOf(1024, 24), Activation.Gelu),
        ViT("ViT-bigG/14", 1280, 224, 14, 1664, 48, 16, 8192, TextOf(1280, 32), Activation.Gelu),
        ResNet("RN50", 1024, 224, 64, [3, 4, 6, 3], TextOf(512, 12)),
        ResNet("RN101", 512, 224, 64, [3, 4, 23, 3], TextOf(512, 12)),
        ResNet("RN50x4", 640, 288, 80, [4, 6, 10, 6], TextOf(640, 12)),
        ResNet("RN50x16", 768, 384, 96, [6, 8, 18, 8], TextOf(768, 12)),
        ResNet("RN50x64", 1024, 448, 128, [3, 15, 36, 10], TextOf(1024, 12)),
    ];

    /// <summary>The size of that name, upper or lower case, as OpenAI (<c>ViT-L/14@336px</c>) or open_clip (<c>ViT-L-14-336</c>) writes it; null when there is none.</summary>
    public static ClipSize? Find(string name) => All.FirstOrDefault(s => Plain(s.Name).Equals(Plain(name), StringComparison.OrdinalIgnoreCase));

    /// <summary>Name of a model for messages: a published size's, or the sizes themselves.</summary>
    public static string Describe(ClipConfig config)
    {
        if (All.FirstOrDefault(s => SameSizes(s.Config, config)) is { } size) return $"CLIP {size.Name}";
        if (config.Vision is { } v) return $"CLIP ViT {v.Block.HiddenSize}×{v.Block.Layers}, patch {v.PatchSize}, {v.ImageSize} px";
        if (config.ResNet is { } r) return $"CLIP ResNet {string.Join("-", r.Layers)}, width {r.Width}, {r.ImageSize} px";
        return config.Text is { } t ? $"CLIP text tower {t.Block.HiddenSize}×{t.Block.Layers}" : "CLIP";
    }

    private static string Plain(string name) => name.Replace('/', '-').Replace('@', '-').Replace("px", "", StringComparison.OrdinalIgnoreCase);

    private static bool SameSizes(ClipConfig a, ClipConfig b) => SameVision(a.Vision, b.Vision) && SameResNet(a.ResNet, b.ResNet) && SameText(a.Text, b.Text);

    private static bool SameVision(ClipVisionConfig? a, ClipVisionConfig? b)
        => a is null || b is null ? a == b : SameBlock(a.Block, b.Block) && (a.ImageSize, a.PatchSize, a.ProjectionSize) == (b.ImageSize, b.PatchSize, b.ProjectionSize);

    private static bool SameResNet(ClipResNetConfig? a, ClipResNetConfig? b)
        => a is null || b is null ? a == b : a.Layers.SequenceEqual(b.Layers) && (a.Width, a.ImageSize, a.ProjectionSize) == (b.Width, b.ImageSize, b.ProjectionSize);

    private static bool SameText(ClipTextConfig? a, ClipTextConfig? b) => a is null || b is null ? a == b : SameBlock(a.Block, b.Block) && a.Context == b.Context;

    private static bool SameBlock(TransformerConfig a, TransformerConfig b) => (a.HiddenSize, a.MlpSize, a.Layers) == (b.HiddenSize, b.MlpSize, b.Layers);

    private static ClipSize ViT(string name, int projection, int image, int patch, int width, int layers, int heads, int mlp, ClipTextConfig text, Activation activation)
        => new(name, new ClipConfig
        {
            Vision = new ClipVisionConfig(new TransformerConfig(width, mlp, layers, heads, activation), image, patch, projection),
            Text = text with { ProjectionSize = projection },
        }.WithActivation(activation));

    private static ClipSize ResNet(string name, int projection, int image, int width, int[] layers, ClipTextConfig text) => new(name, new ClipConfig
    {
        ResNet = new ClipResNetConfig([.. layers], width, width / 2, image, projection),
        Text = text with { ProjectionSize = projection },
    });

    private static ClipTextConfig TextOf(int width, int layers)
        => new(new TransformerConfig(width, 4 * width, layers, width / 64, Activation.QuickGelu), Vocabulary: 49408, Context: 77, ProjectionSize: 0);
}
