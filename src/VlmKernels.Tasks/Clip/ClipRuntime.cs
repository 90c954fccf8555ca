using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>
/// A CLIP checkpoint ready for work on one backend: model, picture pipeline, tokenizer. Immutable; any number of sessions may share it at once.
/// </summary>
public sealed class ClipRuntime : IDisposable
{
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
        var pipeline = ClipFiles.Pipeline(checkpoint);
        var tokenizer = ClipFiles.Tokenizer(checkpoint);
        return new ClipRuntime(checkpoint.Load(backend), pipeline, tokenizer, checkpoint.Description, checkpoint.Notes);
    }

    /// <summary>Embeds pictures, scaled to length 1.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="images">The pictures, RGB or in the mode of their files.</param>
    /// <returns>[pictures, embedding] F in the session's workspace.</returns>
    /// <exception cref="InvalidOperationException">The checkpoint has no image tower.</exception>
    public Tensor EmbedImages(Session s, IReadOnlyList<NativeImage> images)
    {
        int size = Model.Config.ImageSize, bytes = size * size * 3;
        byte[] pixels = new byte[images.Count * bytes];
        for (int i = 0; i < images.Count; i++) Pipeline.Apply(images[i], pixels.AsSpan(i * bytes, bytes));
        var result = s.TakeFloat(images.Count, EmbeddingSize);
        using var mark = s.Mark();
        Tensor data = s.TakeBytes(images.Count, size, size, 3), table = s.TakeFloat(3, 256);
        s.CopyIn<byte>(pixels, data);
        s.CopyIn(Pipeline.ByteTable.Span, table);
        return ClipModel.Normalize(s, Model.EncodeImages(s, new Pixels(data, table)), into: result);
    }

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
        // Padding needs no mask: the token that is pooled looks only at those before it.
        return ClipModel.Normalize(s, Model.EncodeText(s, ids, texts.Count, length), into: result);
    }

    /// <summary>Frees the weights.</summary>
    public void Dispose() => _loaded.Dispose();
}
