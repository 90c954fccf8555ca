using static VlmKernels.Weights.Layout;

namespace VlmKernels.Weights;

/// <summary>
/// Layouts of BLIP checkpoints in front of the Hugging Face names (transformers, <c>convert_blip_original_pytorch_to_hf.py</c>). The text
/// transformers have the same names in both.
/// </summary>
public static class BlipLayouts
{
    // Training keeps slowly following copies of all modules, queues of features and a temperature beside the weights.
    private static readonly LayoutRule[] NoWeights =
    [
        Strip("module."),
        Ignore("visual_encoder_m.*", "text_encoder_m.*", "text_decoder_m.*", "vision_proj_m.*", "text_proj_m.*"),
        Ignore("temp", "image_queue", "text_queue", "queue_ptr", "ptr_queue", "idx_queue", "*position_ids", "*token_type_embeddings.weight"),
    ];

    /// <summary>Hugging Face <c>BlipForConditionalGeneration</c>, <c>BlipForQuestionAnswering</c>, <c>BlipForImageTextRetrieval</c> and <c>BlipModel</c>.</summary>
    public static Layout HuggingFace { get; } = new("HF layout", NoWeights);

    /// <summary>salesforce/BLIP and LAVIS.</summary>
    public static Layout Original { get; } = new("original layout",
    [
        .. NoWeights,
        Rename("visual_encoder.cls_token", "vision_model.embeddings.class_embedding"),
        Rename("visual_encoder.pos_embed", "vision_model.embeddings.position_embedding"),
        Rename("visual_encoder.patch_embed.proj.*", "vision_model.embeddings.patch_embedding.*"),
        Rename("visual_encoder.norm.*", "vision_model.post_layernorm.*"),
        Rename("visual_encoder.blocks.{i}.norm1.*", "vision_model.encoder.layers.{i}.layer_norm1.*"),
        Rename("visual_encoder.blocks.{i}.norm2.*", "vision_model.encoder.layers.{i}.layer_norm2.*"),
        Rename("visual_encoder.blocks.{i}.attn.qkv.*", "vision_model.encoder.layers.{i}.self_attn.qkv.*"),
        Rename("visual_encoder.blocks.{i}.attn.proj.*", "vision_model.encoder.layers.{i}.self_attn.projection.*"),
        Rename("visual_encoder.blocks.{i}.mlp.*", "vision_model.encoder.layers.{i}.mlp.*"),
    ]);

    /// <summary>
    /// A pre-trained file as the start of a model that compares two pictures: both cross-attentions of a layer take what the file has for one
    /// (salesforce/BLIP, <c>blip_nlvr.py</c>, <c>load_checkpoint</c>).
    /// </summary>
    public static Layout Twin(Layout layout) => layout.With(
        Share("text_encoder.encoder.layer.{i}.crossattention.self.*", "text_encoder.encoder.layer.{i}.crossattention.self0.*", "text_encoder.encoder.layer.{i}.crossattention.self1.*"),
        Share("text_encoder.encoder.layer.{i}.crossattention.output.dense.*", "text_encoder.encoder.layer.{i}.crossattention.output.dense0.*", "text_encoder.encoder.layer.{i}.crossattention.output.dense1.*"));
}
