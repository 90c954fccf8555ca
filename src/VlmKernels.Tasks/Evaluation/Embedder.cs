using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Embeds lists of picture files and texts batch by batch into host memory, normalised.</summary>
/// <param name="clip">The model.</param>
/// <param name="session">A session on its backend.</param>
/// <param name="progress">Called after each pass with the number of items done by it.</param>
internal sealed class Embedder(ClipRuntime clip, Session session, Action<int>? progress = null)
{
    private const int TextsAtOnce = 64;

    private readonly SkiaImageDecoder _decoder = new();

    /// <summary>[files][embedding].</summary>
    /// <exception cref="ImageFormatException">A picture cannot be read.</exception>
    public float[][] Pictures(IReadOnlyList<string> files) => Batches(files, clip.PicturesAtOnce, part =>
    {
        int bytes = clip.PixelBytes;
        byte[] pixels = new byte[part.Length * bytes];
        for (int i = 0; i < part.Length; i++) clip.Prepare(_decoder.DecodeNativeFile(part[i], clip.Pipeline.DecodeOptions(applyOrientation: true)), pixels.AsSpan(i * bytes, bytes));
        return clip.EmbedPixels(session, pixels, part.Length);
    });

    /// <summary>[texts][embedding].</summary>
    public float[][] Texts(IReadOnlyList<string> texts) => Batches(texts, TextsAtOnce, part => clip.EmbedTexts(session, part));

    private float[][] Batches(IReadOnlyList<string> items, int batch, Func<string[], Tensor> embed)
    {
        var rows = new List<float[]>(items.Count);
        foreach (string[] part in items.Chunk(batch))
        {
            using var mark = session.Mark();
            var values = new float[part.Length * clip.EmbeddingSize];
            session.CopyOut<float>(embed(part), values);
            rows.AddRange(values.Chunk(clip.EmbeddingSize));
            progress?.Invoke(part.Length);
        }
        return [.. rows];
    }
}
