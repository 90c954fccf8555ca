using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How often the right caption has a higher cosine than the wrong one.</summary>
/// <param name="Won">Pictures where it has.</param>
/// <param name="Count">Pictures with a wrong caption.</param>
/// <param name="ByKind">The same by what is wrong with the wrong caption.</param>
/// <param name="Winoground">The three scores of Winoground; null when the annotations hold no such pairs.</param>
public sealed record PairsEvaluation(int Won, int Count, IReadOnlyDictionary<string, (int Won, int Count)> ByKind, WinogroundScores? Winoground)
{
    /// <summary>Judges a model by annotations.</summary>
    /// <param name="clip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with right and wrong captions, or Winoground pairs.</param>
    /// <param name="progress">Called with the number of pictures or texts just embedded.</param>
    /// <exception cref="ArgumentException">The annotations hold neither.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static PairsEvaluation Run(ClipRuntime clip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        AnnotatedPicture[] pictures = [.. annotations.Pictures.Where(p => p.WrongCaption is not null)];
        if (pictures.Length == 0 && annotations.Pairs.Count == 0) throw new ArgumentException("pairs need wrong captions or Winoground pairs; the annotations hold neither");
        var embed = new Embedder(clip, session, progress);
        float[][] images = embed.Pictures([.. pictures.Select(p => p.Image)]);
        float[] right = Similarities.Pairwise(images, embed.Texts([.. pictures.Select(p => p.Captions[0])]));
        float[] wrong = Similarities.Pairwise(images, embed.Texts([.. pictures.Select(p => p.WrongCaption!)]));
        bool[] won = [.. right.Select((r, i) => r > wrong[i])];
        var byKind = pictures.Select((p, i) => (Kind: p.WrongKind ?? "", Won: won[i])).Where(p => p.Kind.Length > 0).GroupBy(p => p.Kind)
            .OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (g.Count(p => p.Won), g.Count()));
        return new PairsEvaluation(won.Count(w => w), won.Length, byKind, annotations.Pairs.Count == 0 ? null : WinogroundScores.Run(embed, annotations.Pairs));
    }
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
        float[] c00 = Similarities.Pairwise(image0, text0), c01 = Similarities.Pairwise(image0, text1), c10 = Similarities.Pairwise(image1, text0), c11 = Similarities.Pairwise(image1, text1);
        bool[] text = [.. pairs.Select((_, i) => c00[i] > c01[i] && c11[i] > c10[i])], image = [.. pairs.Select((_, i) => c00[i] > c10[i] && c11[i] > c01[i])];
        double Percent(IEnumerable<bool> all) => 100.0 * all.Count(b => b) / pairs.Count;
        return new WinogroundScores(Percent(text), Percent(image), Percent(text.Zip(image, (t, i) => t && i)), pairs.Count);
    }
}
