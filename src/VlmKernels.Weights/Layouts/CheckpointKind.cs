namespace VlmKernels.Weights;

/// <summary>What a checkpoint is, judged by the names of its tensors.</summary>
/// <param name="Family">Architecture: <see cref="Clip"/>, <see cref="Blip"/>; <c>unknown</c> when no fingerprint fits.</param>
/// <param name="Layout">The view that the loader puts in front of it; null when this version does not load it.</param>
/// <param name="Reason">What told: the fingerprint, or why it is refused.</param>
public sealed record CheckpointKind(string Family, Layout? Layout, string Reason)
{
    /// <summary>Name of the family of CLIP.</summary>
    public const string Clip = "CLIP";

    /// <summary>Name of the family of BLIP.</summary>
    public const string Blip = "BLIP";

    // Order matters: later fingerprints also fit earlier families.
    private static readonly (string Family, Func<TensorNames, bool> Fits, string Fingerprint)[] NotBuilt =
    [
        ("X-CLIP (paper)", n => n.Has("global_mat_weight") && n.Has("clip.visual.conv1.weight"), "global_mat_weight"),
        ("X-CLIP (Microsoft)", n => n.Has("mit.positional_embedding"), "mit.positional_embedding"),
        ("X-CLIP (Microsoft, HF)", n => n.Has("mit.position_embedding"), "mit.position_embedding"),
        ("CoCa", n => n.Has("text.cls_emb") && n.Has("text_decoder.cross_attn.0.ln_1.weight"), "text.cls_emb"),
        ("CoCa with an HF text tower", n => n.Starts("text_decoder.cross_attn."), "text_decoder.cross_attn"),
        ("ALIGN", n => n.Has("temperature") && n.Has("vision_model.embeddings.convolution.weight"), "vision_model.embeddings.convolution.weight"),
        ("BLIP-2 or InstructBLIP", n => n.Contains("Qformer.") || n.Contains("qformer.") || n.Contains("t5_model") || n.Contains("opt_model"), "a Q-Former"),
        ("SigLIP", n => n.Has("vision_model.head.probe") || n.Has("text_model.head.weight"), "vision_model.head.probe or text_model.head"),
        ("Flamingo", n => n.Contains("gated_cross_attn_layer."), "gated_cross_attn_layer"),
        ("Idefics", n => n.Contains("gated_cross_attn_layers."), "gated_cross_attn_layers"),
        ("Florence-2", n => n.Contains("image_position_embed") || n.Contains("image_pos_embed"), "positions of an image projection"),
        ("LLaVA", n => n.Contains("multi_modal_projector.") || n.Contains("mm_projector."), "a multi-modal projector"),
        ("Idefics3 or SmolVLM", n => n.Contains("connector.modality_projection."), "connector.modality_projection"),
        ("open_clip with a timm image tower", n => n.Starts("visual.trunk."), "visual.trunk"),
        ("open_clip with an HF text tower", n => n.Starts("text.transformer.embeddings.") || n.Starts("text.transformer.encoder.layer."), "text.transformer.encoder.layer"),
    ];

    // Extras of open_clip blocks that no common CLIP uses (transformer.py, ResidualAttentionBlock and CustomResidualAttentionBlock).
    private static readonly (string Marker, string Meaning)[] BlockExtras =
    [
        (".ls_1.gamma", "LayerScale"), (".ls_2.gamma", "LayerScale"), (".attn.ln_q.", "query and key norms"), (".attn.ln_k.", "query and key norms"),
        (".attn.logit_scale", "scaled cosine attention"), (".attn.head_scale", "scaled heads"), ("visual.attn_pool.", "an attentional pooler"),
    ];

    /// <summary>True when this version loads it.</summary>
    public bool IsSupported => Layout is not null;

    /// <summary>Recognises a checkpoint.</summary>
    /// <param name="names">Names of all its tensors as they lie in the file; a leading <c>module.</c> is overlooked.</param>
    public static CheckpointKind Recognise(IEnumerable<string> names)
    {
        var set = new TensorNames(names);
        foreach (var (family, fits, fingerprint) in NotBuilt)
        {
            if (fits(set)) return new CheckpointKind(family, null, $"{fingerprint} says that this is {family}, which is not supported by this version");
        }
        if (RecogniseBlip(set) is { } blip) return blip;
        if (RecogniseClip(set) is not { } kind) return new CheckpointKind("unknown", null, "no known architecture has tensors of these names");
        foreach (var (marker, meaning) in BlockExtras)
        {
            if (set.Contains(marker)) return kind with { Layout = null, Reason = $"{marker.Trim('.')} says that this CLIP uses {meaning}, which is not supported by this version" };
        }
        return kind;
    }

    private static CheckpointKind? RecogniseBlip(TensorNames n)
    {
        if (n.Has("visual_encoder.cls_token") && (n.Starts("text_encoder.embeddings.") || n.Starts("text_decoder.bert."))) return Kind(Blip, BlipLayouts.Original, "visual_encoder.cls_token");
        bool isHuggingFace = n.Has("vision_model.embeddings.class_embedding") && n.Contains("crossattention");
        return isHuggingFace ? Kind(Blip, BlipLayouts.HuggingFace, "crossattention") : null;
    }

    private static CheckpointKind? RecogniseClip(TensorNames n)
    {
        if (n.Has("vision_model.pre_layrnorm.weight")) return Kind(Clip, ClipLayouts.HuggingFace, "vision_model.pre_layrnorm");
        bool resNet = n.Has("visual.layer1.0.conv1.weight");
        if (n.Has("visual.conv1.weight") && n.Has("transformer.resblocks.0.attn.in_proj_weight"))
        {
            return Kind(Clip, resNet ? ClipLayouts.OpenAiResNet : ClipLayouts.OpenAi, "visual.conv1 and transformer.resblocks");
        }
        if (n.Has("visual.conv1.weight") && n.Starts("text.transformer.resblocks.0."))
        {
            return Kind(Clip, resNet ? ClipLayouts.CustomTextResNet : ClipLayouts.CustomText, "visual.conv1 and text.transformer.resblocks");
        }
        bool textAlone = n.Has("text_projection.weight") && n.Has("text_model.encoder.layers.0.self_attn.q_proj.weight") && !n.Starts("vision_model.");
        return textAlone ? Kind(Clip, ClipLayouts.HuggingFace, "text_model.encoder and text_projection without an image tower") : null;
    }

    private static CheckpointKind Kind(string family, Layout layout, string fingerprint) => new(family, layout, $"{fingerprint}: {family}, {layout.Name}");

    private sealed class TensorNames(IEnumerable<string> names)
    {
        private const string Parallel = "module.";

        private readonly HashSet<string> _names = names.Select(n => n.StartsWith(Parallel, StringComparison.Ordinal) ? n[Parallel.Length..] : n).ToHashSet(StringComparer.Ordinal);

        public bool Has(string name) => _names.Contains(name);

        public bool Starts(string prefix) => _names.Any(n => n.StartsWith(prefix, StringComparison.Ordinal));

        public bool Contains(string part) => _names.Any(n => n.Contains(part, StringComparison.Ordinal));
    }
}
