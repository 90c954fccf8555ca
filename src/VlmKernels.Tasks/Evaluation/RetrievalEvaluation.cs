using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Share of queries, in percent, whose counterpart is among the first 1, 5 and 10.</summary>
public readonly record struct Recall(double At1, double At5, double At10)
{
    internal static Recall Of(int[] ranks) => new(Share(ranks, 1), Share(ranks, 5), Share(ranks, 10));

    private static double Share(int[] ranks, int first) => 100.0 * ranks.Count(r => r < first) / ranks.Length;
}

/// <summary>
/// Retrieval both ways. The rank of a query is the number of others with a higher cosine; others with the same caption string are
/// interchangeable and do not count.
/// </summary>
/// <param name="ImageToText">Finds a caption of a picture.</param>
/// <param name="TextToImage">Finds the picture of a caption.</param>
public sealed record RetrievalEvaluation(Recall ImageToText, Recall TextToImage)
{
    /// <summary>Judges a model by annotations.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with captions.</param>
    /// <param name="progress">Called with the number of pictures or texts just embedded.</param>
    /// <exception cref="ArgumentException">There is no picture with a caption.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static RetrievalEvaluation Run(ClipRuntime clip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        var pictures = annotations.Captioned;
        if (pictures.Count == 0) throw new ArgumentException("retrieval needs pictures with captions; the annotations hold none");
        (int Picture, string Text)[] captions = [.. pictures.SelectMany((p, i) => p.Captions.Select(c => (i, c)))];
        HashSet<string>[] own = [.. pictures.Select(p => p.Captions.ToHashSet())];
        var embed = new Embedder(clip, session, progress);
        float[][] images = embed.Pictures([.. pictures.Select(p => p.Image)]), texts = embed.Texts([.. captions.Select(c => c.Text)]);
        int[] toText = new int[pictures.Count], toImage = new int[captions.Length];
        Similarities.ForEachRow(session, images, texts, (i, cosines) =>
        {
            float best = Enumerable.Range(0, captions.Length).Where(k => captions[k].Picture == i).Max(k => cosines[k]);
            toText[i] = Enumerable.Range(0, captions.Length).Count(k => cosines[k] > best && !own[i].Contains(captions[k].Text));
        });
        Similarities.ForEachRow(session, texts, images, (k, cosines) =>
            toImage[k] = Enumerable.Range(0, pictures.Count).Count(i => cosines[i] > cosines[captions[k].Picture] && !own[i].Contains(captions[k].Text)));
        return new RetrievalEvaluation(Recall.Of(toText), Recall.Of(toImage));
    }
}
