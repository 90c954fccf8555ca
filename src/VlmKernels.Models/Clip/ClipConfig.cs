using System.Collections.Immutable;
using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Sizes of a ViT image tower.</summary>
/// <param name="Block">The transformer.</param>
/// <param name="ImageSize">Pixels per side.</param>
/// <param name="PatchSize">Pixels per side of a patch.</param>
/// <param name="ProjectionSize">Size of the embedding.</param>
/// <param name="Resizing">What happens at other sizes.</param>
public sealed record ClipVisionConfig(TransformerConfig Block, int ImageSize, int PatchSize, int ProjectionSize, PositionResizing Resizing = PositionResizing.None);

/// <summary>Sizes of a modified ResNet image tower.</summary>
/// <param name="Layers">Bottlenecks of the four stages.</param>
/// <param name="Width">Channels behind the stem.</param>
/// <param name="Heads">Heads of the attention pool.</param>
/// <param name="ImageSize">Pixels per side; a multiple of 32.</param>
/// <param name="ProjectionSize">Size of the embedding.</param>
public sealed record ClipResNetConfig(ImmutableArray<int> Layers, int Width, int Heads, int ImageSize, int ProjectionSize);

/// <summary>Which token stands for a text.</summary>
public enum TextPooling
{
    /// <summary>The first one with the largest id: end-of-text in CLIP's vocabulary.</summary>
    LargestId,
    /// <summary>The first end-of-text; the first token when there is none.</summary>
    EndOfText,
    /// <summary>The first token.</summary>
    First,
    /// <summary>The last token.</summary>
    Last,
}

/// <summary>Sizes of a text tower.</summary>
/// <param name="Block">The transformer.</param>
/// <param name="Vocabulary">Number of token ids.</param>
/// <param name="Context">Most tokens of a text.</param>
/// <param name="ProjectionSize">Size of the embedding.</param>
/// <param name="Pooling">Which token stands for a text.</param>
/// <param name="EndOfText">Its id, for <see cref="TextPooling.EndOfText"/>.</param>
/// <param name="IsCausal">Tokens see only what is before them; false for open_clip's <c>no_causal_mask</c>.</param>
/// <param name="Resizing">What happens when the checkpoint has another context.</param>
public sealed record ClipTextConfig(
    TransformerConfig Block, int Vocabulary, int Context, int ProjectionSize, TextPooling Pooling = TextPooling.LargestId, int EndOfText = 49407,
    bool IsCausal = true, PositionResizing Resizing = PositionResizing.None)
{
    /// <summary>Finds the token that stands for each text.</summary>
    /// <param name="ids">Token ids, text after text.</param>
    /// <param name="length">Tokens per text.</param>
    /// <param name="tokens">Receives one index from 0 to length − 1 per text.</param>
    public void PooledTokens(ReadOnlySpan<int> ids, int length, Span<int> tokens)
    {
        for (int i = 0; i < tokens.Length; i++) tokens[i] = PooledToken(ids.Slice(i * length, length));
    }

    private int PooledToken(ReadOnlySpan<int> text)
    {
        switch (Pooling)
        {
            case TextPooling.First: return 0;
            case TextPooling.Last: return text.Length - 1;
            case TextPooling.EndOfText: return Math.Max(0, text.IndexOf(EndOfText));
            default:
                int largest = 0;
                for (int i = 1; i < text.Length; i++) largest = text[i] > text[largest] ? i : largest;
                return largest;
        }
    }
}

/// <summary>Sizes and rules of a CLIP model. At most one image tower; either side may be absent.</summary>
public sealed record ClipConfig
{
    private const int MostLayers = 1024, MostPixels = 16384, MostWidth = 1 << 20, MostIds = 1 << 24, MostTable = 1 << 26;

    /// <summary>ViT image tower, or null.</summary>
    public ClipVisionConfig? Vision { get; init; }

    /// <summary>ResNet image tower, or null.</summary>
    public ClipResNetConfig? ResNet { get; init; }

    /// <summary>Text tower, or null.</summary>
    public ClipTextConfig? Text { get; init; }

    /// <summary>Pixels per side that the image tower takes; 0 without one.</summary>
    public int ImageSize => Vision?.ImageSize ?? ResNet?.ImageSize ?? 0;

    /// <summary>Size of the embedding.</summary>
    public int ProjectionSize => Vision?.ProjectionSize ?? ResNet?.ProjectionSize ?? Text?.ProjectionSize ?? 0;

    /// <summary>The same model with another activation in both transformers.</summary>
    public ClipConfig WithActivation(Activation activation) => this with
    {
        Vision = Vision is null ? null : Vision with { Block = Vision.Block with { Activation = activation } },
        Text = Text is null ? null : Text with { Block = Text.Block with { Activation = activation } },
    };

    /// <summary>Checks what no tensor shape tells, and that no size is absurd: a damaged configuration must not ask for terabytes.</summary>
    /// <exception cref="ContractException">Heads do not divide a width, or a size is out of range.</exception>
    public void Validate()
    {
        Validate("vision", Vision?.Block);
        Validate("text", Text?.Block);
        if (Vision is { } v)
        {
            Require(v.PatchSize > 0 && v.ImageSize >= v.PatchSize && v.ImageSize <= MostPixels, $"patches of {v.PatchSize} pixels for pictures of {v.ImageSize}");
            long grid = v.ImageSize / v.PatchSize, width = v.Block.HiddenSize;
            Require(grid * grid * width <= MostTable, $"positions of {grid}×{grid} patches of width {width}");
            Require(3L * v.PatchSize * v.PatchSize * width <= MostTable, $"patches of {v.PatchSize} pixels for a width of {width}");
            Require(v.ProjectionSize is > 0 and <= MostWidth, $"an embedding of {v.ProjectionSize}");
        }
        if (ResNet is { } r)
        {
            Require(r.Layers.Length == 4 && r.Layers.All(n => n is > 0 and <= MostLayers), $"ResNet stages of {string.Join(", ", r.Layers)} blocks");
            Require(r.Width is > 0 and <= MostWidth / 32 && r.Width % 2 == 0 && r.Heads > 0 && r.Width * 32 % r.Heads == 0, $"a ResNet of width {r.Width} with {r.Heads} heads");
            Require(r.ImageSize is > 0 and <= MostPixels && r.ImageSize % 32 == 0, $"pictures of {r.ImageSize} pixels, which must be a multiple of 32");
            long grid = r.ImageSize / 32, width = 32L * r.Width;
            Require(grid * grid * width <= MostTable, $"positions of {grid}×{grid} cells of width {width}");
        }
        if (Text is { } t)
        {
            Require(t.Vocabulary is > 0 and <= MostIds && t.Context is > 0 and <= MostWidth, $"a vocabulary of {t.Vocabulary} and a context of {t.Context}");
            Require((long)t.Context * t.Block.HiddenSize <= MostTable, $"positions of {t.Context} tokens of width {t.Block.HiddenSize}");
        }
    }

    private static void Validate(string tower, TransformerConfig? c)
    {
        if (c is null) return;
        Require(c.HiddenSize is > 0 and <= MostWidth && c.Heads > 0 && c.HiddenSize % c.Heads == 0, $"a {tower} transformer of width {c.HiddenSize} with {c.Heads} heads");
        Require(c.MlpSize is > 0 and <= MostIds && c.Layers is > 0 and <= MostLayers, $"a {tower} transformer of {c.Layers} layers with MLPs of {c.MlpSize}");
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new ContractException($"CLIP: the configuration asks for {what}");
    }
}
