using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>A candidate answer that was judged.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="Index">Its place among the candidates.</param>
/// <param name="Score">Log-probability of the whole answer, less what label smoothing asks for; larger is better.</param>
public sealed record ScoredAnswer(string Answer, int Index, float Score);

/// <summary>A BLIP checkpoint that answers questions about pictures.</summary>
public sealed class BlipAnswerRuntime : BlipRuntime
{
    /// <summary>Candidates of a question that are judged as a whole, as in the original.</summary>
    public const int DefaultCandidates = 128;

    private readonly BlipVqa _model;

    private BlipAnswerRuntime(LoadedModel<BlipVqa> loaded, BlipParts parts)
        : base(loaded, loaded.Model.Vision, parts) => _model = loaded.Model;

    /// <summary>Loads a checkpoint together with what lies beside it: configuration, preprocessor and tokenizer files.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is no BLIP model that answers questions.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static BlipAnswerRuntime Open(string path, IBackend backend) => Open(path, BlipTask.Answer, (c, parts) => new BlipAnswerRuntime(c.LoadVqa(backend), parts));

    /// <summary>
    /// Writes answers. Each is what the model says when it is asked this question alone: the reference implementations let the decoder see padding, so
    /// that there an answer may depend on the other questions of its batch.
    /// </summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The prepared pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="questions">As many for each picture, those of the first picture first.</param>
    /// <param name="options">How; null: as the model's own implementation does.</param>
    /// <param name="onToken">Gets question and token as soon as they are chosen, the end token included; never called for beams.</param>
    /// <param name="cancellation">Looked at between tokens; what is written so far is the result then.</param>
    /// <returns>For each question <see cref="WritingOptions.Count"/> answers, the best beam first.</returns>
    /// <exception cref="ArgumentException">The number of bytes or questions is wrong, a question is longer than the model's context, or options contradict each other or the model.</exception>
    public WrittenText[][] Answer(
        Session s, ReadOnlySpan<byte> pixels, int count, IReadOnlyList<string> questions, WritingOptions? options = null, Action<int, int>? onToken = null, CancellationToken cancellation = default)
    {
        int perPicture = PerPicture(questions.Count, count);
        var conventions = Config.Conventions;
        var generation = Generation(options, conventions.Answers, conventions.Samples with { MinLength = conventions.Answers.MinLength }, prompt: 1);
        int[][] ids = [.. questions.Select(Text.Question)];
        var answers = new WrittenText[questions.Count][];
        using var mark = s.Mark();
        var images = Encode(s, pixels, count);
        foreach (int[] some in Enumerable.Range(0, ids.Length).GroupBy(i => ids[i].Length).SelectMany(g => g.Chunk(TextsAtOnce)))
        {
            using var pass = s.Mark();
            var states = _model.EncodeQuestions(s, Text.Pad([.. some.Select(i => ids[i])]).All, BlipVisionTower.Pick(s, images, [.. some.Select(i => i / perPicture)]));
            int[][] prompts = [.. some.Select(_ => (int[])[Config.Tokens.Begin])];
            Action<int, int>? report = onToken is null ? null : (row, token) => onToken(some[row / generation.RowsPerPrompt], token);
            var written = _model.Decoder.Write(s, states, prompts, generation with { FirstRows = FirstRows(options, some) }, report, withTrace: false, cancellation);
            WrittenText[][] texts = Texts(written, generation.Stops, some.Length, 1, Text.Decode);
            for (int i = 0; i < some.Length; i++) answers[some[i]] = [.. texts[i].Select(t => t with { PromptTokens = ids[some[i]].Length })];
        }
        return answers;
    }

    /// <summary>Ranks given answers (<c>rank_answer</c>): those whose first token is most probable are judged as a whole.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The prepared pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="questions">As many for each picture, those of the first picture first.</param>
    /// <param name="answers">The candidates, the same for all questions.</param>
    /// <param name="candidates">How many are judged as a whole.</param>
    /// <returns>For each question the judged answers, the best first.</returns>
    /// <exception cref="ArgumentException">The number of bytes or questions is wrong, there are no answers, or a text is longer than the model's context.</exception>
    public ScoredAnswer[][] RankAnswers(Session s, ReadOnlySpan<byte> pixels, int count, IReadOnlyList<string> questions, IReadOnlyList<string> answers, int candidates = DefaultCandidates)
    {
        if (answers.Count == 0) throw new ArgumentException("there are no answers to rank");
        int perPicture = PerPicture(questions.Count, count);
        var all = Text.Pad([.. answers.Select(Text.Answer)]);
        var result = new List<ScoredAnswer[]>(questions.Count);
        using var mark = s.Mark();
        var images = Encode(s, pixels, count);
        foreach (int[] some in Enumerable.Range(0, questions.Count).Chunk(TextsAtOnce))
        {
            using var pass = s.Mark();
            var batch = Text.Pad([.. some.Select(i => Text.Question(questions[i]))]);
            var states = _model.EncodeQuestions(s, batch.All, BlipVisionTower.Pick(s, images, [.. some.Select(i => i / perPicture)]));
            var valid = s.TakeBytes(batch.Count, batch.Length);
            s.CopyIn<byte>(batch.Valid, valid);
            var ranked = _model.Rank(s, all.All, new CrossStates(states, valid), candidates);
            result.AddRange(ranked.Select(r => r.OrderByDescending(a => a.Score).ThenBy(a => a.Index).Select(a => new ScoredAnswer(answers[a.Index], a.Index, a.Score)).ToArray()));
        }
        return [.. result];
    }
}
