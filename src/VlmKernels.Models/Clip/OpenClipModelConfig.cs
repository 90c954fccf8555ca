using System.Collections.Immutable;
using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>
/// Reads the <c>model_cfg</c> of an <c>open_clip_config.json</c> (open_clip, <c>CLIPVisionCfg</c> and <c>CLIPTextCfg</c> in <c>model.py</c>).
/// Settings that would change results and are not built are refused.
/// </summary>
public static class OpenClipModelConfig
{
    // Settings of towers or blocks that no common CLIP uses; false, null, 0 and empty objects leave them off.
    private static readonly string[] VisionExtras =
        ["timm_model_name", "attentional_pool", "no_ln_pre", "final_ln_after_pool", "output_tokens", "input_patchnorm", "ls_init_value", "global_average_pool", "act_kwargs", "qk_norm", "scaled_cosine_attn"];

    private static readonly string[] TextExtras =
        ["hf_model_name", "embed_cls", "proj_bias", "final_ln_after_pool", "output_tokens", "ls_init_value", "act_kwargs", "qk_norm", "scaled_cosine_attn"];

    /// <summary>Reads a configuration, either the whole <c>open_clip_config.json</c> or its <c>model_cfg</c> alone.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="ConfigFormatException">The file is no JSON, a value is of the wrong kind, or a setting is not supported.</exception>
    public static ClipConfig Parse(ReadOnlySpan<byte> json, string file = "open_clip_config.json")
    {
        var root = ConfigSection.Parse(json, file);
        var model = root.Section("model_cfg") ?? root;
        int projection = model.Positive("embed_dim", 512);
        var activation = model.Flag("quick_gelu") ? Activation.QuickGelu : Activation.Gelu;
        model.Refuse("multimodal_cfg", _ => false);
        ConfigSection vision = model.Section("vision_cfg") ?? ConfigSection.Empty(file, "vision_cfg."), text = model.Section("text_cfg") ?? ConfigSection.Empty(file, "text_cfg.");
        foreach (string key in VisionExtras) vision.Refuse(key, IsOff);
        foreach (string key in TextExtras) text.Refuse(key, IsOff);
        bool isResNet = vision.Take("layers") is { ValueKind: JsonValueKind.Array };
        return new ClipConfig
        {
            Vision = isResNet ? null : Vision(vision, projection, activation),
            ResNet = isResNet ? ResNet(vision, projection) : null,
            Text = Text(text, projection, activation),
        };
    }

    private static ClipVisionConfig Vision(ConfigSection c, int projection, Activation activation)
    {
        c.Refuse("pool_type", v => v.ValueKind == JsonValueKind.String && v.GetString() == "tok");
        int width = c.Positive("width", 768), heads = width / c.Positive("head_width", 64);
        var block = new TransformerConfig(width, MlpSize(c, width), c.Positive("layers", 12), heads, activation, Epsilon(c));
        return new ClipVisionConfig(block, c.Square("image_size", 224), c.Square("patch_size", 16), projection, PositionResizing.AtLoad);
    }

    private static ClipResNetConfig ResNet(ConfigSection c, int projection)
    {
        var layers = c.Take("layers")!.Value;
        var stages = ImmutableArray.CreateBuilder<int>();
        foreach (var stage in layers.EnumerateArray())
        {
            if (!stage.TryGetInt32(out int count) || count <= 0) throw c.Wrong("layers", "four numbers above 0", layers);
            stages.Add(count);
        }
        if (stages.Count != 4) throw c.Wrong("layers", "four numbers above 0", layers);
        int width = c.Positive("width", 64);
        return new ClipResNetConfig(stages.ToImmutable(), width, width * 32 / c.Positive("head_width", 64), c.Square("image_size", 224), projection);
    }

    private static ClipTextConfig Text(ConfigSection c, int projection, Activation activation)
    {
        c.Refuse("proj_type", v => v.ValueKind == JsonValueKind.String && v.GetString() == "linear");
        int width = c.Positive("width", 512);
        var block = new TransformerConfig(width, MlpSize(c, width), c.Positive("layers", 12), c.Positive("heads", 8), activation, Epsilon(c));
        var pooling = c.Text("pool_type", "argmax") switch
        {
            "argmax" => TextPooling.LargestId,
            "eos" => TextPooling.EndOfText,
            "first" => TextPooling.First,
            "last" => TextPooling.Last,
            _ => throw c.Wrong("pool_type", "argmax, eos, first or last", c.Take("pool_type")!.Value),
        };
        return new ClipTextConfig(
            block, c.Positive("vocab_size", 49408), c.Positive("context_length", 77), projection, pooling, c.Whole("eos_id", 2), !c.Flag("no_causal_mask"), PositionResizing.AtLoad);
    }

    /// <summary>int(width · mlp_ratio): the fraction is dropped.</summary>
    private static int MlpSize(ConfigSection c, int width) => (int)(width * c.Number("mlp_ratio", 4));

    private static float Epsilon(ConfigSection c) => (c.Section("norm_kwargs") ?? ConfigSection.Empty("", "")).Epsilon("eps");

    private static bool IsOff(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.False => true,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Number => value.TryGetDouble(out double number) && number == 0,
        JsonValueKind.String => value.GetString()!.Length == 0,
        _ => false,
    };
}
