using Microsoft.Extensions.AI;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Extensions.AI;

/// <summary>
/// Embeds pictures with a CLIP model: JPEG, PNG, WebP, GIF or BMP files in memory or in <c>data:</c> URIs, of media type <c>image/*</c>. The bytes
/// say which format it is. A picture that cannot be read fails the call with an <see cref="ImageFormatException"/> that names it.
/// </summary>
public sealed class ClipImageEmbeddingGenerator : ClipEmbeddingGenerator<DataContent>
{
    private readonly SkiaImageDecoder _decoder = new();
    private readonly DecodeOptions _options;

    /// <summary>Makes a generator.</summary>
    /// <param name="clip">The model; must outlive the generator.</param>
    /// <param name="backend">The backend that the model was opened on; must outlive the generator.</param>
    /// <param name="modelId">What callers call the model; null: it has no name, and nobody may ask for it by one.</param>
    /// <param name="applyOrientation">Whether photos are turned as their EXIF orientation says; the published pipelines of OpenAI and open_clip don't.</param>
    /// <exception cref="ArgumentException">The model has no image tower.</exception>
    public ClipImageEmbeddingGenerator(ClipRuntime clip, IBackend backend, string? modelId = null, bool applyOrientation = true)
        : base(clip, clip.Model.HasVision ? null : "image tower", backend, modelId)
    {
        _options = clip.Pipeline.DecodeOptions(applyOrientation);
    }

    private protected override int AtOnce => Clip.PicturesAtOnce;

    private protected override Func<Session, Tensor> Prepare(ArraySegment<DataContent> inputs, int first, CancellationToken cancellationToken)
    {
        // Only what the model takes is kept of a picture, which in full is far larger.
        byte[] pixels = new byte[inputs.Count * Clip.PixelBytes];
        for (int i = 0; i < inputs.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Clip.Prepare(Decode(inputs[i], first + i), pixels.AsSpan(i * Clip.PixelBytes, Clip.PixelBytes));
        }
        return session => Clip.EmbedPixels(session, pixels, inputs.Count);
    }

    private protected override long? Tokens(DataContent[] inputs) => null;

    private NativeImage Decode(DataContent content, int index)
    {
        string name = content.Name is { Length: > 0 } given ? given : $"input {index}";
        if (!content.HasTopLevelMediaType("image")) throw new ArgumentException($"{name}: expected a picture of media type image/*, found {content.MediaType}");
        return _decoder.DecodeNative(Bytes(content, name).Span, name, _options);
    }

    private static ReadOnlyMemory<byte> Bytes(DataContent content, string name)
    {
        try
        {
            return content.Data;
        }
        catch (FormatException e)
        {
            throw new ImageFormatException($"{name}: its data: URI is damaged: {e.Message}", e);
        }
    }
}
