using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Models;

/// <summary>An answer that was ranked.</summary>
/// <param name="Index">Which of the candidates it is.</param>
/// <param name="FirstToken">Probability of its first token behind [DEC].</param>
/// <param name="Score">Log-probability of the whole answer, less what label smoothing asks for; larger is better.</param>
public readonly record struct RankedAnswer(int Index, float FirstToken, float Score);

/// <summary>
/// BLIP that answers questions about pictures (Li et al. 2022; <c>BLIP_VQA</c>, <c>BlipForQuestionAnswering</c>): a question is read together with the
/// picture, and a decoder that sees what was read writes, or judges, answers. Immutable; sessions share it.
/// </summary>
public sealed class BlipVqa
{
    // A logit for every token of the vocabulary stands behind every token of an answer: some answers at a time.
    private const int AnswersPerPass = 16;

    private readonly MedTransformer _questions;

    /// <summary>Loads the model.</summary>
    /// <param name="weights">Root of the tree: <c>vision_model</c>, <c>text_encoder</c>, <c>text_decoder</c>.</param>
    /// <param name="config">Sizes.</param>
    public BlipVqa(WeightNode weights, BlipConfig config)
    {
        Config = config;
        Vision = new BlipVisionTower(weights["vision_model"], config.Vision);
        _questions = new MedTransformer(weights["text_encoder"], config.Text, config.Vision.Block.HiddenSize, "enc");
        Decoder = new MedDecoder(weights["text_decoder"], config.Text, config.AnswerCrossWidth);
    }

    /// <summary>Sizes and rules of the model.</summary>
    public BlipConfig Config { get; }

    /// <summary>Encodes pictures.</summary>
    public BlipVisionTower Vision { get; }

    /// <summary>Writes answers to encoded questions.</summary>
    public MedDecoder Decoder { get; }

    /// <summary>Reads questions together with pictures, [ENC] or [CLS] first as <see cref="BlipConfig.Conventions"/> say.</summary>
    /// <param name="s">The session.</param>
    /// <param name="text">The questions.</param>
    /// <param name="images">Encoded pictures [batch', tokens, vision width]; consecutive questions share one.</param>
    /// <returns>[batch, length, text width]; lies in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of ids or mask values is wrong, the texts are too long, or an id is outside the vocabulary.</exception>
    public Tensor EncodeQuestions(Session s, TextIds text, Tensor images) => _questions.Forward(s, text, new CrossStates(images));

    /// <summary>
    /// Ranks candidate answers (<c>rank_answer</c>): those whose first token is most probable are judged as a whole, by the loss of training. Unlike
    /// when answers are written, padding of the questions is hidden.
    /// </summary>
    /// <param name="s">The session.</param>
    /// <param name="answers">The candidates, [DEC] first, [SEP] last, filled up with [PAD].</param>
    /// <param name="questions">Encoded questions [batch, tokens, text width] with their padding.</param>
    /// <param name="keep">How many candidates are judged as a whole; the original keeps 128.</param>
    /// <returns>Per question the judged answers, by the probability of their first token.</returns>
    /// <exception cref="ArgumentException">A candidate has no token behind [DEC], or the ids do not fit the model.</exception>
    public RankedAnswer[][] Rank(Session s, TextIds answers, CrossStates questions, int keep)
    {
        if (answers.Length < 2) throw new ArgumentException("an answer has at least one token behind [DEC]", nameof(answers));
        int count = questions.Tokens.Shape[0], vocabulary = Config.Text.Vocabulary;
        float[] first = FirstTokens(s, questions, count);
        var ranked = new RankedAnswer[count][];
        int pass = 0;
        for (int q = 0; q < count; q++)
        {
            var probabilities = new float[answers.Batch];
            for (int a = 0; a < answers.Batch; a++) probabilities[a] = first[(q * vocabulary) + answers.Ids[(a * answers.Length) + 1]];
            int[] kept = Largest.Of(probabilities, Math.Min(keep, answers.Batch));
            var judged = new List<RankedAnswer>(kept.Length);
            foreach (int[] some in kept.Chunk(AnswersPerPass))
            {
                float[] scores = Judge(s, answers.Pick(some), RowOf(questions, q), pass++);
                for (int i = 0; i < some.Length; i++) judged.Add(new RankedAnswer(some[i], probabilities[some[i]], scores[i]));
            }
            ranked[q] = [.. judged];
        }
        return ranked;
    }

    /// <summary>Probabilities of the token behind [DEC]: batch · vocabulary values.</summary>
    private float[] FirstTokens(Session s, CrossStates questions, int count)
    {
        using var mark = s.Mark();
        var begin = new int[count];
        Array.Fill(begin, Config.Tokens.Begin);
        var logits = Decoder.Logits(s, new TextIds(begin, count, 1), questions);
        s.Tap("rank.start", -1, logits);
        s.Ops.Softmax(new SoftmaxArgs(logits, logits));
        var probabilities = new float[count * Config.Text.Vocabulary];
        s.CopyOut<float>(logits, probabilities);
        return probabilities;
    }

    private float[] Judge(Session s, TextIds answers, CrossStates question, int pass)
    {
        using var mark = s.Mark();
        var logits = Decoder.Logits(s, answers, question);
        s.Tap("rank.answers", pass, logits);
        double[] losses = TokenLoss.PerText(s, logits, answers.Ids, Config.Tokens.Pad, Config.LabelSmoothing);
        return Array.ConvertAll(losses, l => (float)-l);
    }

    private static CrossStates RowOf(CrossStates all, int row)
    {
        int tokens = all.Tokens.Shape[1];
        var valid = all.Valid.IsNone ? default : all.Valid.SliceRows(row, 1);
        return new CrossStates(all.Tokens.SliceRows(row * tokens, tokens).Reshape(1, tokens, all.Tokens.Columns), valid);
    }
}
