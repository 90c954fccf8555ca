using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Reads the <c>config.json</c> of a Hugging Face BLIP (transformers, <c>configuration_blip.py</c>).</summary>
public static class BlipHfConfig
{
    // The weights of this width were trained with twelve heads; the class default and early configurations say eight.
    private const int PublishedWidth = 768, PublishedHeads = 12;

    /// <summary>Reads a configuration.</summary>
    /// <param name="json">The file's bytes.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="notes">Receives what was corrected, for people.</param>
    /// <exception cref="ConfigFormatException">The file is no JSON, is of another model, or a value is of the wrong kind.</exception>
    public static BlipConfig Parse(ReadOnlySpan<byte> json, string file, ICollection<string> notes)
    {
        var config = ConfigSection.Parse(json, file);
        string type = config.Text("model_type", "blip");
        if (type != "blip") throw new ConfigFormatException(file, $"\"model_type\": expected blip, found {type}");
        ConfigSection vision = config.Effective("vision_config"), text = config.Effective("text_config");
        vision.Refuse("num_channels", v => v.TryGetInt32(out int channels) && channels == 3);
        text.Refuse("position_embedding_type", v => v.ValueEquals("absolute"));
        var picture = new BlipVisionConfig(Block(vision, 12, 1e-5), vision.Square("image_size", 384), vision.Square("patch_size", 16), PositionResizing.AtRun);
        var med = new MedConfig(WithTrainedHeads(Block(text, 8, 1e-12), notes), text.Positive("vocab_size", 30524), text.Positive("max_position_embeddings", 512));
        int begin = text.Whole("bos_token_id", 30522);
        // [ENC] has no key: it was added to the vocabulary right behind [DEC].
        return new BlipConfig(picture, med, new BlipTokens(begin, begin + 1, text.Whole("sep_token_id", 102), text.Whole("pad_token_id", 0)))
        {
            MatchSize = config.Positive("image_text_hidden_size", 256),
            ProjectionSize = config.Positive("projection_dim", 512),
            AnswerCrossWidth = picture.Block.HiddenSize,
            LabelSmoothing = (float)text.Number("label_smoothing", config.Number("label_smoothing", 0)),
            Conventions = BlipConventions.HuggingFace,
        };
    }

    private static TransformerConfig Block(ConfigSection c, int heads, double epsilon) => new(
        c.Positive("hidden_size", 768), c.Positive("intermediate_size", 3072), c.Positive("num_hidden_layers", 12), c.Positive("num_attention_heads", heads),
        c.Activation("hidden_act", "gelu"), c.Epsilon("layer_norm_eps", epsilon));

    private static TransformerConfig WithTrainedHeads(TransformerConfig text, ICollection<string> notes)
    {
        if (text.HiddenSize != PublishedWidth || text.Heads == PublishedHeads) return text;
        notes.Add($"the configuration says {text.Heads} text heads, but weights of width {PublishedWidth} were trained with {PublishedHeads}: {PublishedHeads} it is");
        return text with { Heads = PublishedHeads };
    }
}
