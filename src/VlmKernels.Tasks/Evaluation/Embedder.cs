using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Embeds lists of picture files and texts batch by batch into host memory, normalised.</summary>
/// <param name="clip">The model.</param>
/// <param name="session">A session on its backend.</param>
/// <param name="progress">Called after each pass with the number of items done by it.</param>
internal sealed class Embedder(ClipRuntime clip, Session session, Action<int>? progress = null)
{
    /// <summary>Texts that one pass takes.</summary>
    /// <summary>[files][embedding].</summary>
    /// <exception cref="ImageFormatException">A picture cannot be read.</exception>
    public float[][] Pictures(IReadOnlyList<string> files)
    {
        using var reader = PictureReader.OfFiles(clip, files, clip.PicturesAtOnce);
        var rows = new List<float[]>(files.Count);
        foreach (var batch in reader.Batches())
        {
            if (batch.Unreadable is [var (_, reason), ..]) throw new ImageFormatException(reason);
            rows.AddRange(Rows(batch.Count, () => clip.EmbedPixels(session, batch.Pixels, batch.Count)));
        }
        return [.. rows];
    }

    /// <summary>[texts][embedding].</summary>
    public float[][] Texts(IReadOnlyList<string> texts) => [.. texts.Chunk(ClipRuntime.TextsAtOnce).SelectMany(part => Rows(part.Length, () => clip.EmbedTexts(session, part)))];

    private float[][] Rows(int count, Func<Tensor> embed)
    {
        using var mark = session.Mark();
        var values = new float[count * clip.EmbeddingSize];
        session.CopyOut<float>(embed(), values);
        progress?.Invoke(count);
        return [.. values.Chunk(clip.EmbeddingSize)];
    }
}
