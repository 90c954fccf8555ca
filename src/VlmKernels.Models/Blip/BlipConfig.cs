using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>Sizes of BLIP's image tower.</summary>
/// <param name="Block">The transformer.</param>
/// <param name="ImageSize">Pixels per side.</param>
/// <param name="PatchSize">Pixels per side of a patch.</param>
/// <param name="Resizing">What happens at other sizes.</param>
public sealed record BlipVisionConfig(TransformerConfig Block, int ImageSize, int PatchSize, PositionResizing Resizing);

/// <summary>Sizes of BLIP's text transformer, the multimodal mixture of encoder and decoder (MED).</summary>
/// <param name="Block">The transformer.</param>
/// <param name="Vocabulary">Number of token ids.</param>
/// <param name="Context">Most tokens of a text.</param>
public sealed record MedConfig(TransformerConfig Block, int Vocabulary, int Context);

/// <summary>Token ids that say what a text is for.</summary>
/// <param name="Begin">[DEC]: first token of a text that is generated.</param>
/// <param name="Encode">[ENC]: first token of a text that is read together with a picture.</param>
/// <param name="End">[SEP]: ends a text, also a generated one.</param>
/// <param name="Pad">[PAD]: fills up.</param>
public sealed record BlipTokens(int Begin, int Encode, int End, int Pad)
{
    /// <summary>Those of all published checkpoints: [DEC] and [ENC] are appended to the vocabulary of bert-base-uncased.</summary>
    public static BlipTokens Published { get; } = new(30522, 30523, 102, 0);
}

/// <summary>Sizes and rules of a BLIP model, whichever of its modules a checkpoint holds.</summary>
/// <param name="Vision">The image tower.</param>
/// <param name="Text">The text transformers; encoder and decoder have one size.</param>
/// <param name="Tokens">Token ids with a meaning.</param>
public sealed record BlipConfig(BlipVisionConfig Vision, MedConfig Text, BlipTokens Tokens)
{
    private const int MostLayers = 1024, MostPixels = 16384, MostWidth = 1 << 20, MostIds = 1 << 24, MostTable = 1 << 26;

    /// <summary>Size of the embeddings whose cosine compares a picture with a text.</summary>
    public int MatchSize { get; init; } = 256;

    /// <summary>Size of the embeddings of <see cref="BlipPair"/>.</summary>
    public int ProjectionSize { get; init; } = 512;

    /// <summary>Width of the tokens that the decoder of answers looks at: the text's in the original, the picture's in transformers.</summary>
    public int AnswerCrossWidth { get; init; } = Text.Block.HiddenSize;

    /// <summary>Share of the loss that asks for every token alike (label smoothing).</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>What the reference implementation of the layout does where the two differ.</summary>
    public BlipConventions Conventions { get; init; } = BlipConventions.Original;

    /// <summary>Options of generation with this model's tokens for end and padding.</summary>
    public GenerationOptions WithTokens(GenerationOptions options) => options with { EndToken = Tokens.End, PadToken = Tokens.Pad };

    /// <summary>Checks what no tensor shape tells, and that no size is absurd: a damaged configuration must not ask for terabytes.</summary>
    /// <exception cref="ContractException">Heads do not divide a width, or a size is out of range.</exception>
    public void Validate()
    {
        Validate("vision", Vision.Block);
        Validate("text", Text.Block);
        Require(Vision.PatchSize > 0 && Vision.ImageSize >= Vision.PatchSize && Vision.ImageSize <= MostPixels, $"patches of {Vision.PatchSize} pixels for pictures of {Vision.ImageSize}");
        long grid = Vision.ImageSize / Vision.PatchSize, width = Vision.Block.HiddenSize;
        Require(grid * grid * width <= MostTable, $"positions of {grid}×{grid} patches of width {width}");
        Require(3L * Vision.PatchSize * Vision.PatchSize * width <= MostTable, $"patches of {Vision.PatchSize} pixels for a width of {width}");
        Require(Text.Vocabulary is > 0 and <= MostIds && Text.Context is > 0 and <= MostWidth, $"a vocabulary of {Text.Vocabulary} and a context of {Text.Context}");
        Require((long)Text.Context * Text.Block.HiddenSize <= MostTable, $"positions of {Text.Context} tokens of width {Text.Block.HiddenSize}");
        Require(MatchSize is > 0 and <= MostWidth && ProjectionSize is > 0 and <= MostWidth, $"embeddings of {MatchSize} and {ProjectionSize}");
        Require(LabelSmoothing is >= 0 and < 1, $"label smoothing of {LabelSmoothing}");
        foreach (int id in (ReadOnlySpan<int>)[Tokens.Begin, Tokens.Encode, Tokens.End, Tokens.Pad]) Require((uint)id < (uint)Text.Vocabulary, $"the token {id} of a vocabulary of {Text.Vocabulary}");
    }

    private static void Validate(string tower, TransformerConfig c)
    {
        Require(c.HiddenSize is > 0 and <= MostWidth && c.Heads > 0 && c.HiddenSize % c.Heads == 0, $"a {tower} transformer of width {c.HiddenSize} with {c.Heads} heads");
        Require(c.MlpSize is > 0 and <= MostIds && c.Layers is > 0 and <= MostLayers, $"a {tower} transformer of {c.Layers} layers with MLPs of {c.MlpSize}");
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new ContractException($"BLIP: the configuration asks for {what}");
    }
}
