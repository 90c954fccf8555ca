using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How well right captions are told from wrong ones, by reading them together with the picture (ITM) and by cosine (ITC).</summary>
/// <param name="Right">Scores of the right captions.</param>
/// <param name="Wrong">Scores of the wrong captions.</param>
/// <param name="ByKind">Pictures whose right caption has the higher probability, and all, by what is wrong with the wrong caption.</param>
public sealed record MatchScores(IReadOnlyList<MatchScore> Right, IReadOnlyList<MatchScore> Wrong, IReadOnlyDictionary<string, (int Won, int Count)> ByKind)
{
    /// <summary>Pictures whose right caption has the higher probability.</summary>
    public int Won => Right.Zip(Wrong).Count(s => s.First.Probability > s.Second.Probability);

    /// <summary>Captions, right and wrong, that lie on the right side of a probability of one half.</summary>
    public int RightAtHalf => Right.Count(s => s.Probability >= 0.5f) + Wrong.Count(s => s.Probability < 0.5f);

    /// <summary>Pictures whose right caption has the higher cosine.</summary>
    public int CosineWon => Right.Zip(Wrong).Count(s => s.First.Cosine > s.Second.Cosine);
}

/// <summary>A model that matches texts, judged by annotations, beside what it says without seeing the pictures.</summary>
/// <param name="Scores">Of the pictures.</param>
/// <param name="Blind">Of a grey picture in the place of each.</param>
public sealed record MatchEvaluation(MatchScores Scores, MatchScores Blind)
{
    /// <summary>Judges a model by annotations.</summary>
    /// <param name="blip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with right and wrong captions.</param>
    /// <param name="progress">Called with the number of pictures done.</param>
    /// <exception cref="ArgumentException">The annotations hold no wrong captions.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static MatchEvaluation Run(BlipMatchRuntime blip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        AnnotatedPicture[] pictures = [.. annotations.Captioned.Where(p => p.WrongCaption is not null)];
        if (pictures.Length == 0) throw new ArgumentException("itm needs wrong captions; the annotations hold none");
        string[] texts = [.. pictures.SelectMany(p => new[] { p.Captions[0], p.WrongCaption! })];
        var scores = new List<MatchScore>(texts.Length);
        foreach (var batch in BlipPictures.Read(blip, [.. pictures.Select(p => p.Image)], progress))
        {
            scores.AddRange(blip.Match(session, batch.Pixels, batch.Count, texts[(2 * batch.First)..(2 * (batch.First + batch.Count))]));
        }
        return new MatchEvaluation(Score(pictures, scores), Score(pictures, blip.Match(session, BlipPictures.Blind(blip), 1, texts)));
    }

    private static MatchScores Score(AnnotatedPicture[] pictures, IReadOnlyList<MatchScore> scores)
    {
        MatchScore[] right = [.. pictures.Select((_, i) => scores[2 * i])], wrong = [.. pictures.Select((_, i) => scores[(2 * i) + 1])];
        var byKind = PairsEvaluation.ByKinds(pictures, [.. right.Select((r, i) => r.Probability > wrong[i].Probability)]);
        return new MatchScores(right, wrong, byKind);
    }
}
