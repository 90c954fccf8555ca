using VlmKernels.Inputs;

namespace VlmKernels.Models;

/// <summary>Reads the <c>config.json</c> of a Hugging Face CLIP (transformers, <c>configuration_clip.py</c>).</summary>
public static class ClipHfConfig
{
    // The id that old OpenAI configurations carry by mistake; transformers then pools at the largest id.
    private const int LegacyEndOfText = 2;

    /// <summary>Reads a configuration of <c>CLIPModel</c> or of a single tower.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="ConfigFormatException">The file is no JSON, is of another model, or a value is of the wrong kind.</exception>
    public static ClipConfig Parse(ReadOnlySpan<byte> json, string file = "config.json")
    {
        var config = ConfigSection.Parse(json, file);
        string type = config.Text("model_type", "clip");
        switch (type)
        {
            case "clip_text_model" when !config.Has("text_config"): return new ClipConfig { Text = Text(config, config.Positive("projection_dim", 512)) };
            case "clip_vision_model" when !config.Has("vision_config"): return new ClipConfig { Vision = Vision(config, config.Positive("projection_dim", 512)) };
            case "clip" or "clip_text_model" or "clip_vision_model": break;
            default: throw new ConfigFormatException(file, $"\"model_type\": expected clip, found {type}");
        }
        int projection = config.Positive("projection_dim", 512);
        return new ClipConfig { Vision = Vision(config.Effective("vision_config"), projection), Text = Text(config.Effective("text_config"), projection) };
    }

    private static ClipVisionConfig Vision(ConfigSection c, int projection)
    {
        c.Refuse("num_channels", v => v.TryGetInt32(out int channels) && channels == 3);
        return new ClipVisionConfig(Block(c, 768, 3072, 12), c.Square("image_size", 224), c.Square("patch_size", 32), projection, PositionResizing.AtRun);
    }

    private static ClipTextConfig Text(ConfigSection c, int projection)
    {
        int end = c.WholeOrOnly("eos_token_id", 49407);
        var pooling = end == LegacyEndOfText ? TextPooling.LargestId : TextPooling.EndOfText;
        return new ClipTextConfig(Block(c, 512, 2048, 8), c.Positive("vocab_size", 49408), c.Positive("max_position_embeddings", 77), projection, pooling, end);
    }

    private static TransformerConfig Block(ConfigSection c, int width, int mlp, int heads) => new(
        c.Positive("hidden_size", width), c.Positive("intermediate_size", mlp), c.Positive("num_hidden_layers", 12), c.Positive("num_attention_heads", heads),
        c.Activation("hidden_act", "quick_gelu"), c.Epsilon("layer_norm_eps"));
}
