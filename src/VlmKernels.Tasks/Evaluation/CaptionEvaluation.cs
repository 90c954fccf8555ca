using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How well captions fit their annotations.</summary>
/// <param name="Captions">The captions.</param>
/// <param name="Exact">Captions that equal an annotation as the tokenizer writes it.</param>
/// <param name="WordsFound">Percent of an annotation's different words that the caption has, the best annotation of each picture; mean over pictures.</param>
/// <param name="Bleu4">BLEU-4, 0 to 1.</param>
/// <param name="CiderD">CIDEr-D, 0 to 10.</param>
/// <param name="ByObjects">Exact captions and pictures by the number of objects, where that is annotated.</param>
public sealed record CaptionScores(IReadOnlyList<string> Captions, int Exact, double WordsFound, double Bleu4, double CiderD, IReadOnlyDictionary<int, (int Exact, int Count)> ByObjects);

/// <summary>A model's captions against annotations, beside those that it writes without seeing the pictures.</summary>
/// <param name="Scores">Of the pictures.</param>
/// <param name="Blind">Of a grey picture in the place of each.</param>
/// <param name="Beams">Beams that captions were searched with; 1: the likeliest token, step by step.</param>
public sealed record CaptionEvaluation(CaptionScores Scores, CaptionScores Blind, int Beams)
{
    /// <summary>What counts as equal.</summary>
    public const string ExactMatchRule = "the generated string equals decode(encode(caption)) of an annotation: 't-shirt' becomes 't - shirt'";

    /// <summary>Judges a model by annotations.</summary>
    /// <param name="blip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with captions.</param>
    /// <param name="beams">Beams; null: as the model's own implementation does.</param>
    /// <param name="progress">Called with the number of pictures done.</param>
    /// <exception cref="ArgumentException">There is no picture with a caption, or there are too many beams.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static CaptionEvaluation Run(BlipCaptionRuntime blip, Session session, Annotations annotations, int? beams = null, Action<int>? progress = null)
    {
        var pictures = annotations.Captioned;
        if (pictures.Count == 0) throw new ArgumentException("captions need pictures with captions; the annotations hold none");
        var options = new WritingOptions { Beams = beams };
        var written = new List<string>(pictures.Count);
        foreach (var batch in BlipPictures.Read(blip, [.. pictures.Select(p => p.Image)], progress))
        {
            written.AddRange(blip.Caption(session, batch.Pixels, batch.Count, options).Select(c => c[0].Text));
        }
        string blind = blip.Caption(session, BlipPictures.Blind(blip), 1, options)[0][0].Text;
        string[][] references = [.. pictures.Select(p => p.Captions.Select(c => BlipPictures.AsWritten(blip, c)).ToArray())];
        string[][][] words = [.. references.Select(r => r.Select(Words.Of).ToArray())];
        var cider = new CiderD(words);
        return new CaptionEvaluation(Score(written), Score([.. pictures.Select(_ => blind)]), beams ?? blip.Config.Conventions.Captions.Beams);

        CaptionScores Score(IReadOnlyList<string> captions)
        {
            string[][] own = [.. captions.Select(Words.Of)];
            bool[] exact = [.. captions.Select((c, i) => references[i].Contains(c))];
            var byObjects = pictures.Select((p, i) => (p.Objects, Exact: exact[i])).Where(p => p.Objects > 0).GroupBy(p => p.Objects)
                .OrderBy(g => g.Key).ToDictionary(g => g.Key, g => (g.Count(p => p.Exact), g.Count()));
            return new CaptionScores(captions, exact.Count(e => e), captions.Select((c, i) => WordsFound(c, references[i])).Average(), Bleu.Corpus(own, words), cider.Corpus(own), byObjects);
        }
    }

    /// <summary>Words as spaces part them, as in the references' own scores.</summary>
    private static double WordsFound(string caption, string[] references)
    {
        HashSet<string> found = [.. caption.Split(' ')];
        return references.Max(r => r.Split(' ').Distinct().ToArray() is var wanted ? 100.0 * wanted.Count(found.Contains) / wanted.Length : 0);
    }
}
