using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>
/// A CLIP checkpoint ready for work on one backend: model, picture pipeline, tokenizer. Immutable; any number of sessions may share it at once.
/// </summary>
public sealed class ClipRuntime : IEmbeddingModel
{
    // Enough to keep every core busy, and little enough for the workspace.
    private const int MostPicturesAtOnce = 64, MostBytesAtOnce = 1 << 28;

    /// <summary>Texts that one pass takes best; more of them are embedded in several passes.</summary>
    public const int TextsAtOnce = 64;

    private readonly LoadedModel<ClipModel> _loaded;

    private ClipRuntime(LoadedModel<ClipModel> loaded, ImagePipeline pipeline, ITokenizer tokenizer, string description, IReadOnlyList<string> notes)
    {
        (_loaded, Pipeline, Tokenizer, Description, Notes) = (loaded, pipeline, tokenizer, description, notes);
    }

    /// <summary>The model.</summary>
    public ClipModel Model => _loaded.Model;

    /// <summary>From a picture to the pixels that the model takes.</summary>
    public ImagePipeline Pipeline { get; }

    /// <summary>From a text to ids.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>What the checkpoint is, for people.</summary>
    public string Description { get; }

    /// <summary>What had to be assumed, for people.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>Floats of an embedding.</summary>
    public int EmbeddingSize => Model.Config.ProjectionSize;

    /// <summary>Loads a checkpoint together with what lies beside it: configuration, preprocessor and tokenizer files.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is of an architecture that this version does not support.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static ClipRuntime Open(string path, IBackend backend)
    {
        using var checkpoint = ClipCheckpoint.Open(path);
        List<string> notes = [.. checkpoint.Notes];
        var pipeline = ClipFiles.Pipeline(checkpoint, notes);
        var tokenizer = ClipFiles.Tokenizer(checkpoint, notes);
        return new ClipRuntime(checkpoint.Load(backend), pipeline, tokenizer, checkpoint.Description, notes);
    }

    /// <summary>A model of a published size with weights of another source, such as <see cref="RandomWeights"/>: for timing. Pictures are prepared as OpenAI does.</summary>
    /// <param name="size">The size.</param>
    /// <param name="weights">Gives every tensor; may be closed after the call.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="FileNotFoundException">CLIP's vocabulary is in no folder of models.</exception>
    public static ClipRuntime OfSize(ClipSize size, IWeightSource weights, IBackend backend)
    {
        var loaded = WeightLoader.Load(weights, backend, root => new ClipModel(root, size.Config), size.Name);
        return new ClipRuntime(loaded, ImagePipeline.OpenAi(size.Config.ImageSize), ClipFiles.OpenAiTokenizer(), $"CLIP {size.Name} ({weights.Origin})", []);
    }

    /// <summary>Bytes of a prepared picture.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    public int PixelBytes => Model.HasVision ? Model.Config.ImageSize * Model.Config.ImageSize * 3 : throw new InvalidOperationException("this checkpoint has no image tower");

    /// <summary>Pictures that one pass takes at most; more of them are embedded in several passes, with the same result.</summary>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    public int PicturesAtOnce => Math.Clamp(MostBytesAtOnce / PixelBytes, 1, MostPicturesAtOnce);

    int IEmbeddingModel.TextsAtOnce => TextsAtOnce;

    /// <inheritdoc/>
    public DecodeOptions DecodeOptions(bool orient) => Pipeline.DecodeOptions(orient);

    /// <inheritdoc/>
    public void Prepare(NativeImage image, Span<byte> pixels) => Pipeline.Apply(image, pixels);

    /// <summary>Embeds pictures, scaled to length 1.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="images">The pictures, RGB or in the mode of their files.</param>
    /// <returns>[pictures, embedding] F in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    public Tensor EmbedImages(Session s, IReadOnlyList<NativeImage> images)
    {
        int bytes = PixelBytes, most = PicturesAtOnce;
        byte[] pixels = new byte[Math.Min(most, images.Count) * bytes];
        var result = s.TakeFloat(images.Count, EmbeddingSize);
        for (int first = 0; first < images.Count; first += most)
        {
            int count = Math.Min(most, images.Count - first);
            for (int i = 0; i < count; i++) Prepare(images[first + i], pixels.AsSpan(i * bytes, bytes));
            Embed(s, pixels.AsSpan(0, count * bytes), result.SliceRows(first, count));
        }
        return result;
    }

    /// <summary>Embeds prepared pictures, scaled to length 1.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The pictures, one behind the other, as <see cref="Prepare"/> wrote them.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>[pictures, embedding] F in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    public Tensor EmbedPixels(Session s, ReadOnlySpan<byte> pixels, int count)
    {
        int bytes = PixelBytes, most = PicturesAtOnce;
        if (pixels.Length != (long)count * bytes) throw new ArgumentException($"{count} pictures take {(long)count * bytes} bytes, not {pixels.Length}", nameof(pixels));
        var result = s.TakeFloat(count, EmbeddingSize);
        for (int first = 0; first < count; first += most)
        {
            int now = Math.Min(most, count - first);
            Embed(s, pixels.Slice(first * bytes, now * bytes), result.SliceRows(first, now));
        }
        return result;
    }

    /// <summary>True when a text has more tokens than the model's context, so that its end does not count.</summary>
    public bool IsCut(string text) => Model.Config.Text is { } c && Tokenizer.Encode(text).Length > c.Context;

    /// <summary>Embeds texts, scaled to length 1. Texts longer than the model's context are cut as its reference does.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="texts">The texts.</param>
    /// <returns>[texts, embedding] F in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint has no text tower.</exception>
    public Tensor EmbedTexts(Session s, IReadOnlyList<string> texts)
    {
        int length = Model.Config.Text?.Context ?? throw new InvalidOperationException("this checkpoint has no text tower");
        int[] ids = new int[texts.Count * length];
        for (int i = 0; i < texts.Count; i++)
        {
            var padded = Tokenizer.EncodePadded(texts[i], length);
            for (int t = 0; t < length; t++) ids[(i * length) + t] = padded.Ids[t];
        }
        var result = s.TakeFloat(texts.Count, EmbeddingSize);
        using var mark = s.Mark();
        // No mask over the padding, as in openai/CLIP and open_clip. A causal tower that pools at the end of the text never looks at it; the
        // others (no_causal_mask, pooling at the last token) were trained with the padding in view.
        return ClipModel.Normalize(s, Model.EncodeText(s, ids, texts.Count, length), into: result);
    }

    private void Embed(Session s, ReadOnlySpan<byte> pixels, Tensor into)
    {
        int size = Model.Config.ImageSize;
        using var mark = s.Mark();
        Tensor data = s.TakeBytes(into.Rows, size, size, 3), table = s.TakeFloat(3, 256);
        s.CopyIn(pixels, data);
        s.CopyIn(Pipeline.ByteTable.Span, table);
        ClipModel.Normalize(s, Model.EncodeImages(s, new Pixels(data, table)), into);
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _loaded.Dispose();
}
