using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How often the right caption has a higher score than the wrong one.</summary>
/// <param name="Won">Pictures where it has.</param>
/// <param name="Count">Pictures with a wrong caption.</param>
/// <param name="ByKind">The same by what is wrong with the wrong caption.</param>
/// <param name="Winoground">The three scores of Winoground; null when the annotations hold no such pairs.</param>
public sealed record PairsEvaluation(int Won, int Count, IReadOnlyDictionary<string, (int Won, int Count)> ByKind, WinogroundScores? Winoground)
{
    /// <summary>Judges a model by annotations, with cosines.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with right and wrong captions, or Winoground pairs.</param>
    /// <param name="progress">Called with the number of pictures or texts just embedded.</param>
    /// <exception cref="ArgumentException">The annotations hold neither.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static PairsEvaluation Run(ClipRuntime clip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        AnnotatedPicture[] pictures = Judged(annotations);
        var embed = new Embedder(clip, session, progress);
        float[][] images = embed.Pictures([.. pictures.Select(p => p.Image)]);
        double[] right = Similarities.Pairwise(images, embed.Texts([.. pictures.Select(p => p.Captions[0])]));
        double[] wrong = Similarities.Pairwise(images, embed.Texts([.. pictures.Select(p => p.WrongCaption!)]));
        return Of(pictures, right, wrong, annotations.Pairs.Count == 0 ? null : WinogroundScores.Run(embed, annotations.Pairs));
    }

    /// <summary>The pictures with a wrong caption.</summary>
    /// <exception cref="ArgumentException">There are none, and no Winoground pairs.</exception>
    internal static AnnotatedPicture[] Judged(Annotations annotations)
    {
        AnnotatedPicture[] pictures = [.. annotations.Captioned.Where(p => p.WrongCaption is not null)];
        return pictures.Length > 0 || annotations.Pairs.Count > 0 ? pictures : throw new ArgumentException("pairs need wrong captions or Winoground pairs; the annotations hold neither");
    }

    /// <summary>Counts scores of the right and the wrong caption of each picture.</summary>
    internal static PairsEvaluation Of(AnnotatedPicture[] pictures, double[] right, double[] wrong, WinogroundScores? winoground)
    {
        bool[] won = [.. right.Select((r, i) => r > wrong[i])];
        return new PairsEvaluation(won.Count(w => w), won.Length, ByKinds(pictures, won), winoground);
    }

    /// <summary>Pictures won, and all, by what is wrong with the wrong caption.</summary>
    internal static Dictionary<string, (int Won, int Count)> ByKinds(AnnotatedPicture[] pictures, bool[] won) => pictures.Select((p, i) => (Kind: p.WrongKind ?? "", Won: won[i]))
        .Where(p => p.Kind.Length > 0).GroupBy(p => p.Kind).OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (g.Count(p => p.Won), g.Count()));
}

/// <summary>Winoground's scores in percent (Thrush et al. 2022, §4): of pairs whose texts, whose pictures, and whose both are told apart.</summary>
/// <param name="Text">For each picture its own caption wins.</param>
/// <param name="Image">For each caption its own picture wins.</param>
/// <param name="Group">Both.</param>
/// <param name="Count">Number of pairs.</param>
public sealed record WinogroundScores(double Text, double Image, double Group, int Count)
{
    internal static WinogroundScores Run(Embedder embed, IReadOnlyList<PicturePair> pairs)
    {
        float[][] image0 = embed.Pictures([.. pairs.Select(p => p.Image0)]), image1 = embed.Pictures([.. pairs.Select(p => p.Image1)]);
        float[][] text0 = embed.Texts([.. pairs.Select(p => p.Caption0)]), text1 = embed.Texts([.. pairs.Select(p => p.Caption1)]);
        return Of(Similarities.Pairwise(image0, text0), Similarities.Pairwise(image0, text1), Similarities.Pairwise(image1, text0), Similarities.Pairwise(image1, text1));
    }

    /// <summary>Counts scores: <paramref name="c01"/> is that of picture 0 with caption 1 of each pair.</summary>
    internal static WinogroundScores Of(double[] c00, double[] c01, double[] c10, double[] c11)
    {
        bool[] text = [.. c00.Select((_, i) => c00[i] > c01[i] && c11[i] > c10[i])], image = [.. c00.Select((_, i) => c00[i] > c10[i] && c11[i] > c01[i])];
        double Percent(IEnumerable<bool> all) => 100.0 * all.Count(b => b) / c00.Length;
        return new WinogroundScores(Percent(text), Percent(image), Percent(text.Zip(image, (t, i) => t && i)), c00.Length);
    }
}
