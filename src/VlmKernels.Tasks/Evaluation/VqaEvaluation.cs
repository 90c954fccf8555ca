using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>How many answers are right.</summary>
/// <param name="Answers">The answers, question after question in the order of the annotations.</param>
/// <param name="Right">Right answers.</param>
/// <param name="ByKind">Right answers and questions by the words of the question before its first article.</param>
public sealed record AnswerScores(IReadOnlyList<string> Answers, int Right, IReadOnlyDictionary<string, (int Right, int Count)> ByKind);

/// <summary>A model's answers against annotations, beside those that it gives without seeing the pictures.</summary>
/// <param name="Scores">Of the pictures.</param>
/// <param name="Blind">Of a grey picture in the place of each.</param>
public sealed record VqaEvaluation(AnswerScores Scores, AnswerScores Blind)
{
    /// <summary>What counts as right.</summary>
    public const string AccuracyRule = "the answer equals decode(encode(answer)) of the annotation";

    private static readonly string[] Articles = ["a", "an", "the"];

    /// <summary>Judges a model by annotations.</summary>
    /// <param name="blip">The model.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="annotations">Pictures with questions.</param>
    /// <param name="progress">Called with the number of pictures done.</param>
    /// <exception cref="ArgumentException">There is no picture with a question.</exception>
    /// <exception cref="Inputs.ImageFormatException">A picture cannot be read.</exception>
    public static VqaEvaluation Run(BlipAnswerRuntime blip, Session session, Annotations annotations, Action<int>? progress = null)
    {
        AnnotatedPicture[] pictures = [.. annotations.Pictures.Where(p => p.Questions.Count > 0)];
        if (pictures.Length == 0) throw new ArgumentException("vqa needs pictures with questions; the annotations hold none");
        var answers = new List<string>();
        foreach (var batch in BlipPictures.Read(blip, [.. pictures.Select(p => p.Image)], progress))
        {
            answers.AddRange(Answer(blip, session, batch, pictures.AsSpan(batch.First, batch.Count)));
        }
        AnnotatedQuestion[] questions = [.. pictures.SelectMany(p => p.Questions)];
        string[] asked = [.. questions.Select(q => q.Question).Distinct()];
        var blind = asked.Zip(blip.Answer(session, BlipPictures.Blind(blip), 1, asked)).ToDictionary(a => a.First, a => a.Second[0].Text);
        string[] expected = [.. questions.Select(q => BlipPictures.AsWritten(blip, q.Answer))];
        return new VqaEvaluation(Score(questions, expected, answers), Score(questions, expected, [.. questions.Select(q => blind[q.Question])]));
    }

    /// <summary>A pass takes as many questions for each picture: pictures with fewer than the others repeat one, whose answers are dropped.</summary>
    private static List<string> Answer(BlipAnswerRuntime blip, Session session, PictureBatch batch, ReadOnlySpan<AnnotatedPicture> pictures)
    {
        int most = 0;
        foreach (var picture in pictures) most = Math.Max(most, picture.Questions.Count);
        var asked = new List<string>();
        foreach (var picture in pictures) asked.AddRange(Enumerable.Range(0, most).Select(q => picture.Questions[Math.Min(q, picture.Questions.Count - 1)].Question));
        var written = blip.Answer(session, batch.Pixels, batch.Count, asked);
        var answers = new List<string>();
        for (int p = 0; p < pictures.Length; p++) answers.AddRange(Enumerable.Range(p * most, pictures[p].Questions.Count).Select(q => written[q][0].Text));
        return answers;
    }

    private static AnswerScores Score(AnnotatedQuestion[] questions, string[] expected, IReadOnlyList<string> answers)
    {
        bool[] right = [.. answers.Select((a, i) => a == expected[i])];
        var byKind = questions.Select((q, i) => (Kind: Kind(q.Question), Right: right[i])).GroupBy(q => q.Kind)
            .OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (g.Count(q => q.Right), g.Count()));
        return new AnswerScores(answers, right.Count(r => r), byKind);
    }

    private static string Kind(string question) => string.Join(' ', Words.Of(question).TakeWhile(w => !Articles.Contains(w)));
}
