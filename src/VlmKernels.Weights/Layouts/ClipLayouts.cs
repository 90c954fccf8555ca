using static VlmKernels.Weights.Layout;

namespace VlmKernels.Weights;

/// <summary>
/// Layouts of CLIP checkpoints in front of the Hugging Face names (transformers, <c>convert_clip_original_pytorch_to_hf.py</c>). The ResNet
/// image towers exist in OpenAI's names only and keep them.
/// </summary>
public static class ClipLayouts
{
    private static readonly LayoutRule[] NoWeights =
    [
        Strip("module."), // what torch's data-parallel training puts in front
        Ignore("*position_ids", "attn_mask", "text.attn_mask", "input_resolution", "context_length", "vocab_size", "*.num_batches_tracked"),
    ];

    /// <summary>Hugging Face <c>CLIPModel</c>, <c>CLIPVisionModelWithProjection</c>, <c>CLIPTextModelWithProjection</c>.</summary>
    public static Layout HuggingFace { get; } = new("HF layout", NoWeights);

    /// <summary>openai/CLIP and open_clip with a ViT: all names flat.</summary>
    public static Layout OpenAi { get; } = new("OpenAI layout", [.. NoWeights, .. Vision(), .. Text("")]);

    /// <summary>open_clip <c>CustomTextCLIP</c> with a ViT: the text tower below <c>text.</c>.</summary>
    public static Layout CustomText { get; } = new("open_clip custom text layout", [.. NoWeights, .. Vision(), .. Text("text.")]);

    /// <summary>openai/CLIP and open_clip with a ResNet.</summary>
    public static Layout OpenAiResNet { get; } = new("OpenAI ResNet layout", [.. NoWeights, .. Text("")]);

    /// <summary>open_clip <c>CustomTextCLIP</c> with a ResNet.</summary>
    public static Layout CustomTextResNet { get; } = new("open_clip custom text ResNet layout", [.. NoWeights, .. Text("text.")]);

    private static LayoutRule[] Vision() =>
    [
        Rename("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
        Rename("visual.class_embedding", "vision_model.embeddings.class_embedding"),
        Rename("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
        Rename("visual.ln_pre.*", "vision_model.pre_layrnorm.*"), // the spelling is that of the files
        Rename("visual.ln_post.*", "vision_model.post_layernorm.*"),
        Transpose("visual.proj", "visual_projection.weight"),
        .. Blocks("visual.transformer.resblocks.{i}.", "vision_model.encoder.layers.{i}."),
    ];

    private static LayoutRule[] Text(string prefix) =>
    [
        Rename(prefix + "token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
        Rename(prefix + "positional_embedding", "text_model.embeddings.position_embedding.weight"),
        Rename(prefix + "ln_final.*", "text_model.final_layer_norm.*"),
        Transpose(prefix + "text_projection", "text_projection.weight"),
        .. Blocks(prefix + "transformer.resblocks.{i}.", "text_model.encoder.layers.{i}."),
    ];

    private static LayoutRule[] Blocks(string from, string to) =>
    [
        Rename(from + "ln_1.*", to + "layer_norm1.*"),
        Rename(from + "ln_2.*", to + "layer_norm2.*"),
        SplitRows(from + "attn.in_proj_*", to + "self_attn.q_proj.*", to + "self_attn.k_proj.*", to + "self_attn.v_proj.*"),
        Rename(from + "attn.out_proj.*", to + "self_attn.out_proj.*"),
        Rename(from + "mlp.c_fc.*", to + "mlp.fc1.*"),
        Rename(from + "mlp.c_proj.*", to + "mlp.fc2.*"),
    ];
}
