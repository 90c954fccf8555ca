using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>
/// Right against wrong captions by how likely a model would have written them: log P(text | picture) − α · log P(text | grey picture), so that a text
/// does not win because it is likely whatever the picture shows (Lin et al. 2024, VisualGPTScore, §4, with a grey picture for its marginal probability).
/// </summary>
/// <param name="ByAlpha">One result for each α.</param>
/// <param name="Blind">What log P(text | grey picture) scores alone.</param>
public sealed record GenerativePairs(IReadOnlyList<(double Alpha, PairsEvaluation Result)> ByAlpha, PairsEvaluation Blind)
{
    /// <summary>The values of α: 0, 0.1, … 1. At 0 the prior counts in full, at 1 not at all.</summary>
    public static IReadOnlyList<double> Alphas { get; } = [.. Enumerable.Range(0, 11).Select(i => i / 10.0)];

    /// <summary>Judges a model by annotations.</summary>
    /// <param name="blip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with right and wrong captions, or Winoground pairs.</param>
    /// <exception cref="ArgumentException">The annotations hold neither, or a text is longer than the model's context.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static GenerativePairs Run(BlipCaptionRuntime blip, Session session, Annotations annotations)
    {
        AnnotatedPicture[] pictures = PairsEvaluation.Judged(annotations);
        var pairs = annotations.Pairs;
        Likelihoods own = Score([.. pictures.Select(p => p.Image)], [.. pictures.Select(p => (p.Captions[0], p.WrongCaption!))]);
        (string, string)[] both = [.. pairs.Select(p => (p.Caption0, p.Caption1))];
        Likelihoods image0 = Score([.. pairs.Select(p => p.Image0)], both), image1 = Score([.. pairs.Select(p => p.Image1)], both);
        return new GenerativePairs([.. Alphas.Select(a => (a, Judge(l => l.Scores(a))))], Judge(l => l.Blind));

        PairsEvaluation Judge(Func<Likelihoods, double[]> scores)
        {
            double[] texts = scores(own), of0 = scores(image0), of1 = scores(image1);
            return PairsEvaluation.Of(pictures, First(texts), Second(texts), pairs.Count == 0 ? null : WinogroundScores.Of(First(of0), Second(of0), First(of1), Second(of1)));
        }

        Likelihoods Score(string[] images, (string First, string Second)[] captions)
        {
            string[] texts = [.. captions.SelectMany(c => new[] { c.First, c.Second })];
            if (texts.Length == 0) return new Likelihoods([], []);
            var seen = new List<double>(texts.Length);
            foreach (var batch in BlipPictures.Read(blip, images))
            {
                seen.AddRange(blip.LogProbability(session, batch.Pixels, batch.Count, texts[(2 * batch.First)..(2 * (batch.First + batch.Count))]).Select(l => l.LogProbability));
            }
            return new Likelihoods([.. seen], [.. blip.LogProbability(session, BlipPictures.Blind(blip), 1, texts).Select(l => l.LogProbability)]);
        }
    }

    private static double[] First(double[] scores) => [.. scores.Where((_, i) => i % 2 == 0)];

    private static double[] Second(double[] scores) => [.. scores.Where((_, i) => i % 2 == 1)];

    /// <summary>Log-probabilities of two texts of each picture, one behind the other.</summary>
    private readonly record struct Likelihoods(double[] Seen, double[] Blind)
    {
        public double[] Scores(double alpha)
        {
            var blind = Blind;
            return [.. Seen.Select((l, i) => l - (alpha * blind[i]))];
        }
    }
}
