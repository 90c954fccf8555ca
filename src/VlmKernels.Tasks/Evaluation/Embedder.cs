using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Embeds lists of picture files and texts batch by batch into host memory, normalised.</summary>
/// <param name="model">The model.</param>
/// <param name="session">A session on its backend.</param>
/// <param name="progress">Called after each pass with the number of items done by it.</param>
internal sealed class Embedder(IEmbeddingModel model, Session session, Action<int>? progress = null)
{
    /// <summary>[files][embedding].</summary>
    /// <exception cref="ImageFormatException">A picture cannot be read.</exception>
    public float[][] Pictures(IReadOnlyList<string> files)
    {
        using var reader = PictureReader.OfFiles(model, files, model.PicturesAtOnce);
        var rows = new List<float[]>(files.Count);
        foreach (var batch in reader.Batches())
        {
            if (batch.Unreadable is [var (_, reason), ..]) throw new ImageFormatException(reason);
            rows.AddRange(Rows(batch.Count, () => model.EmbedPixels(session, batch.Pixels, batch.Count)));
        }
        return [.. rows];
    }

    /// <summary>[texts][embedding].</summary>
    public float[][] Texts(IReadOnlyList<string> texts) => [.. texts.Chunk(model.TextsAtOnce).SelectMany(part => Rows(part.Length, () => model.EmbedTexts(session, part)))];

    private float[][] Rows(int count, Func<Tensor> embed)
    {
        using var mark = session.Mark();
        var values = new float[count * model.EmbeddingSize];
        session.CopyOut<float>(embed(), values);
        progress?.Invoke(count);
        return [.. values.Chunk(model.EmbeddingSize)];
    }
}
