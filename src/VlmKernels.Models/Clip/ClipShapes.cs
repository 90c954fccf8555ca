using System.Collections.Immutable;
using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// Infers a configuration from a checkpoint's tensors, for files that come without one (openai/CLIP, <c>build_model</c>). Heads and
/// activation are not in the tensors: heads are 64 wide, and the activation follows from who wrote the file.
/// </summary>
public static class ClipShapes
{
    private const int HeadWidth = 64;
    private const int StageCount = 4;

    // ViT-H, g and bigG have 16 heads of 80, 88 and 104, all with patches of 14.
    private static readonly int[] SixteenHeads = [1280, 1408, 1664];

    /// <summary>Infers the configuration.</summary>
    /// <param name="weights">The checkpoint behind its layout.</param>
    /// <param name="notes">Receives what had to be assumed, for people.</param>
    public static ClipConfig Infer(LayoutView weights, ICollection<string> notes)
    {
        var activation = InferActivation(weights, notes);
        bool hasResNet = weights.Has("visual.layer1.0.conv1.weight");
        return new ClipConfig
        {
            Vision = weights.Has("vision_model.embeddings.patch_embedding.weight") ? Vision(weights, activation, notes) : null,
            ResNet = hasResNet ? ResNet(weights) : null,
            Text = weights.Has("text_model.embeddings.token_embedding.weight") ? Text(weights, activation) : null,
        };
    }

    private static ClipVisionConfig Vision(LayoutView w, Activation activation, ICollection<string> notes)
    {
        const string Patches = "vision_model.embeddings.patch_embedding.weight";
        int width = w.Extent(Patches, 0), patch = w.Extent(Patches, -1), grid = Grid(w, "vision_model.embeddings.position_embedding.weight");
        int heads = Math.Max(1, width / HeadWidth);
        if (patch == 14 && SixteenHeads.Contains(width))
        {
            heads = 16;
            notes.Add($"no configuration: 16 heads assumed for hidden size {width}, as ViT-H, g and bigG have");
        }
        var block = Block(w, "vision_model.encoder.layers.", width, heads, activation);
        return new ClipVisionConfig(block, patch * grid, patch, w.Extent("visual_projection.weight", 0));
    }

    private static ClipResNetConfig ResNet(LayoutView w)
    {
        int width = w.Extent("visual.layer1.0.conv1.weight", 0), grid = Grid(w, "visual.attnpool.positional_embedding");
        var layers = ImmutableArray.CreateBuilder<int>(StageCount);
        for (int stage = 1; stage <= StageCount; stage++) layers.Add(w.CountLayers($"visual.layer{stage}."));
        return new ClipResNetConfig(layers.MoveToImmutable(), width, Math.Max(1, width * 32 / HeadWidth), 32 * grid, w.Extent("visual.attnpool.c_proj.weight", 0));
    }

    private static ClipTextConfig Text(LayoutView w, Activation activation)
    {
        const string Tokens = "text_model.embeddings.token_embedding.weight";
        int width = w.Extent(Tokens, 1);
        var block = Block(w, "text_model.encoder.layers.", width, Math.Max(1, width / HeadWidth), activation);
        int context = w.Extent("text_model.embeddings.position_embedding.weight", 0);
        return new ClipTextConfig(block, w.Extent(Tokens, 0), context, w.Extent("text_projection.weight", 0));
    }

    private static TransformerConfig Block(LayoutView w, string layers, int width, int heads, Activation activation)
        => new(width, w.Extent($"{layers}0.mlp.fc1.weight", 0), w.CountLayers(layers), heads, activation);

    /// <summary>OpenAI wrote the sizes beside the weights, and matrices in a narrower type than norms; everyone else trains with exact GELU.</summary>
    private static Activation InferActivation(LayoutView w, ICollection<string> notes)
    {
        bool marked = w.Ignored.Any(t => t.Key.EndsWith("input_resolution", StringComparison.Ordinal));
        bool mixed = w.Find("text_projection.weight") is { } matrix && w.Find("text_model.final_layer_norm.weight") is { } norm && matrix.Type != norm.Type;
        var activation = marked || mixed ? Activation.QuickGelu : Activation.Gelu;
        notes.Add(marked || mixed ? "no configuration: quick_gelu, because the file is as OpenAI wrote them" : "no configuration: exact gelu assumed; the tensors do not tell");
        return activation;
    }

    private static int Grid(LayoutView w, string positions) => (int)Math.Round(Math.Sqrt(w.Extent(positions, 0) - 1));
}
