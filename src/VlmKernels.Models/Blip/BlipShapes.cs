using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>
/// Infers a configuration from the tensors of an original checkpoint, which comes without one: salesforce/BLIP wires the sizes into its code and
/// keeps those of the text in <c>med_config.json</c>.
/// </summary>
internal sealed class BlipShapes(LayoutView weights, BlipLoadOptions options, ICollection<string> notes)
{
    private const int HeadWidth = 64;
    private const float VisionEpsilon = 1e-6f, TextEpsilon = 1e-12f, OriginalSmoothing = 0.1f;

    /// <summary>Infers the configuration.</summary>
    /// <param name="med">The content of <c>med_config.json</c>; null when there is none.</param>
    /// <param name="tokens">The ids that the vocabulary beside the file gives; null when there is none.</param>
    public BlipConfig Infer(ConfigSection? med, BlipTokens? tokens)
    {
        var text = Text(med);
        return new BlipConfig(Vision(), text, tokens ?? Published(text))
        {
            MatchSize = weights.Find("vision_proj.weight") is { Shape: [var size, _] } ? (int)size : 256,
            LabelSmoothing = OriginalSmoothing,
        };
    }

    private BlipVisionConfig Vision()
    {
        const string Patches = "vision_model.embeddings.patch_embedding.weight";
        int width = weights.Extent(Patches, 0), patch = weights.Extent(Patches, 3), grid = (int)Math.Round(Math.Sqrt(weights.Extent("vision_model.embeddings.position_embedding", 1) - 1));
        const string Layers = "vision_model.encoder.layers.";
        var block = new TransformerConfig(width, weights.Extent($"{Layers}0.mlp.fc1.weight", 0), weights.CountLayers(Layers), options.VisionHeads ?? Heads(width, "image tower"), Activation.Gelu, VisionEpsilon);
        return new BlipVisionConfig(block, grid * patch, patch, PositionResizing.AtLoadPlain);
    }

    private MedConfig Text(ConfigSection? med)
    {
        string root = weights.Has("text_encoder.embeddings.word_embeddings.weight") ? "text_encoder." : "text_decoder.bert.";
        int vocabulary = weights.Extent(root + "embeddings.word_embeddings.weight", 0), width = weights.Extent(root + "embeddings.word_embeddings.weight", 1);
        string layers = root + "encoder.layer.";
        int heads = options.TextHeads ?? med?.Positive("num_attention_heads", Math.Max(1, width / HeadWidth)) ?? Heads(width, "text");
        float epsilon = med?.Epsilon("layer_norm_eps", TextEpsilon) ?? TextEpsilon;
        var block = new TransformerConfig(width, weights.Extent($"{layers}0.intermediate.dense.weight", 0), weights.CountLayers(layers), heads, Activation.Gelu, epsilon);
        return new MedConfig(block, vocabulary, weights.Extent(root + "embeddings.position_embeddings.weight", 0));
    }

    private BlipTokens Published(MedConfig text)
    {
        if (text.Vocabulary == BlipTokens.Published.Encode + 1) return BlipTokens.Published;
        throw new ConfigFormatException(weights.Origin, $"without a vocab.txt beside it a vocabulary of {BlipTokens.Published.Encode + 1} ids is expected, found {text.Vocabulary}");
    }

    private int Heads(int width, string tower)
    {
        int heads = Math.Max(1, width / HeadWidth);
        notes.Add($"no configuration: {heads} heads of {width / heads} assumed for the {tower}");
        return heads;
    }
}
