using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>What all runtimes of a BLIP checkpoint hold besides the model.</summary>
internal sealed record BlipParts(BlipConfig Config, ImagePipeline Pipeline, ITokenizer Tokenizer, string Description, IReadOnlyList<string> Notes);

/// <summary>
/// A BLIP checkpoint ready for one task on one backend: model, picture pipeline, tokenizer. Immutable; any number of sessions may share it at once.
/// Pictures are handed over as <see cref="Prepare"/> wrote them, one behind the other, at most <see cref="PicturesAtOnce"/>.
/// </summary>
public abstract class BlipRuntime : IPicturePreparer, IDisposable
{
    private const int MostPicturesAtOnce = 32, MostTextsAtOnce = 64;
    private const long MostBytesAtOnce = 1 << 28;

    private readonly IDisposable _loaded;
    private readonly BlipVisionTower _vision;

    private protected BlipRuntime(IDisposable loaded, BlipVisionTower vision, BlipParts parts)
    {
        (_loaded, _vision) = (loaded, vision);
        (Config, Pipeline, Tokenizer, Description, Notes) = (parts.Config, parts.Pipeline, parts.Tokenizer, parts.Description, parts.Notes);
        Text = new BlipText(Tokenizer, Config);
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>From a picture to the pixels that the model takes.</summary>
    public ImagePipeline Pipeline { get; }

    /// <summary>From a text to ids.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>From a text to the ids of a caption, question or statement, and back.</summary>
    public BlipText Text { get; }

    /// <summary>What the checkpoint is, for people.</summary>
    public string Description { get; }

    /// <summary>What had to be assumed, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <inheritdoc/>
    public int PixelBytes => Config.Vision.ImageSize * Config.Vision.ImageSize * 3;

    /// <summary>Pictures that one pass should take at most; larger passes give the same result and need more memory.</summary>
    public int PicturesAtOnce
    {
        get
        {
            // Tokens in the tower, with its MLP, and keys and values of every layer that looks at them.
            var (vision, text) = (Config.Vision, Config.Text.Block);
            long tokens = 1 + ((long)(vision.ImageSize / vision.PatchSize) * (vision.ImageSize / vision.PatchSize));
            long floats = tokens * ((4L * vision.Block.HiddenSize) + vision.Block.MlpSize + (2L * text.Layers * text.HiddenSize));
            return (int)Math.Clamp(MostBytesAtOnce / (sizeof(float) * floats), 1, MostPicturesAtOnce);
        }
    }

    /// <summary>Texts that one pass takes; more of them are done in several.</summary>
    public int TextsAtOnce => Math.Min(MostTextsAtOnce, 2 * PicturesAtOnce);

    /// <inheritdoc/>
    public DecodeOptions DecodeOptions(bool orient) => Pipeline.DecodeOptions(orient);

    /// <inheritdoc/>
    public void Prepare(NativeImage image, Span<byte> pixels) => Pipeline.Apply(image, pixels);

    /// <summary>Frees the weights.</summary>
    public void Dispose()
    {
        _loaded.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static T Open<T>(string path, BlipTask task, Func<BlipCheckpoint, BlipParts, T> load)
    {
        using var checkpoint = BlipCheckpoint.Open(path);
        if (!checkpoint.Tasks.Contains(task)) throw new WeightFileException(checkpoint.Path, null, $"a BLIP model that {Does(task)}", $"one that {string.Join(" and ", checkpoint.Tasks.Select(Does))}");
        List<string> notes = [.. checkpoint.Notes];
        var pipeline = BlipFiles.Pipeline(checkpoint, notes);
        var tokenizer = BlipFiles.Tokenizer(checkpoint, notes);
        return load(checkpoint, new BlipParts(checkpoint.Config, pipeline, tokenizer, checkpoint.Description, notes));
    }

    /// <summary>Encodes prepared pictures: [count, tokens, width] in the session's workspace.</summary>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    private protected Tensor Encode(Session s, ReadOnlySpan<byte> pixels, int count)
    {
        if (count < 1 || pixels.Length != (long)count * PixelBytes) throw new ArgumentException($"{count} pictures take {(long)count * PixelBytes} bytes, not {pixels.Length}", nameof(pixels));
        int size = Config.Vision.ImageSize;
        Tensor data = s.TakeBytes(count, size, size, 3), table = s.TakeFloat(3, 256);
        s.CopyIn(pixels, data);
        s.CopyIn(Pipeline.ByteTable.Span, table);
        return _vision.Forward(s, new Pixels(data, table));
    }

    /// <summary>Texts of each picture.</summary>
    /// <exception cref="ArgumentException">They are no whole number, or none.</exception>
    private protected static int PerPicture(int texts, int pictures)
        => texts > 0 && texts % pictures == 0 ? texts / pictures : throw new ArgumentException($"expected as many texts for each of {pictures} pictures, found {texts}");

    /// <summary>Options of the generation engine: the caller's over the layout's.</summary>
    private protected GenerationOptions Generation(WritingOptions? options, GenerationOptions likeliest, GenerationOptions samples, int prompt)
        => (options ?? new WritingOptions()).Over(Config.WithTokens(likeliest), Config.WithTokens(samples), prompt, Config.Text.Context, ids => Text.Decode(ids));

    /// <summary>Numbers of the first rows of some of the caller's texts, by their places among all of them.</summary>
    private protected static int[] FirstRows(WritingOptions? options, IEnumerable<int> places) => [.. places.Select(p => (options?.FirstRow ?? 0) + (p * (options?.Count ?? 1)))];

    /// <summary>What was written, prompt by prompt; without the string that ended it.</summary>
    private protected static WrittenText[][] Texts(GenerationResult written, StopStrings? stops, int prompts, int promptTokens, Func<IEnumerable<int>, string> decode)
    {
        var texts = new List<WrittenText>[prompts];
        for (int i = 0; i < prompts; i++) texts[i] = [];
        foreach (var q in written.Sequences)
        {
            string text = decode(q.Tokens);
            // From the end, since a layout's own prompt is no longer at the beginning.
            int tail = Math.Min(stops?.Tail([.. q.Tokens], promptTokens) ?? 0, text.Length);
            texts[q.Prompt].Add(new WrittenText(text[..^tail], [.. q.Tokens.Skip(promptTokens)], promptTokens, q.Score, q.HasEnded));
        }
        return [.. texts.Select(t => t.ToArray())];
    }

    /// <summary>Probability of the second of two classes, of logits [n, 2]: [n].</summary>
    private protected static float[] SecondOfTwo(Session s, Tensor logits)
    {
        var values = new float[logits.Shape.Count];
        s.CopyOut<float>(logits, values);
        return [.. values.Chunk(2).Select(l => SecondOfTwo(l[0], l[1]))];
    }

    /// <summary>Probability of the second of two classes.</summary>
    private protected static float SecondOfTwo(float first, float second) => (float)(1 / (1 + Math.Exp((double)first - second)));

    private static string Does(BlipTask task) => task switch
    {
        BlipTask.Caption => "writes captions",
        BlipTask.Answer => "answers questions",
        BlipTask.Match => "matches texts",
        BlipTask.Compare => "compares two pictures",
        BlipTask.Pair => "embeds (transformers' BlipModel)",
        _ => "encodes",
    };
}
