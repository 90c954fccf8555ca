using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>CLIPScore (Hessel et al. 2021): 2.5 · max(cosine, 0) of a picture and a caption, without references.</summary>
/// <param name="Scores">One score per picture: the mean over its captions.</param>
public sealed record ClipScore(IReadOnlyList<double> Scores)
{
    private const double Weight = 2.5;

    /// <summary>Mean over all pictures.</summary>
    public double Mean => Scores.Average();

    /// <summary>Scores captions.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with captions.</param>
    /// <param name="progress">Called with the number of pictures or texts just embedded.</param>
    /// <exception cref="ArgumentException">There is no picture with a caption.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static ClipScore Run(ClipRuntime clip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        var pictures = annotations.Captioned;
        if (pictures.Count == 0) throw new ArgumentException("clipscore needs pictures with captions; the annotations hold none");
        var embed = new Embedder(clip, session, progress);
        float[][] images = embed.Pictures([.. pictures.Select(p => p.Image)]);
        double[] cosines = Similarities.Pairwise([.. pictures.SelectMany((p, i) => p.Captions.Select(_ => images[i]))], embed.Texts([.. pictures.SelectMany(p => p.Captions)]));
        var scores = new double[pictures.Count];
        int at = 0;
        for (int i = 0; i < scores.Length; at += pictures[i].Captions.Count, i++)
        {
            scores[i] = cosines.Skip(at).Take(pictures[i].Captions.Count).Average(c => Weight * Math.Max(c, 0));
        }
        return new ClipScore(scores);
    }
}
