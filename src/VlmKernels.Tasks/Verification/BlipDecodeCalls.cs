using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens that judge or write texts.</summary>
internal sealed class BlipDecodeCalls(BlipModels models, GoldenCase golden)
{
    // The label of a token that does not count.
    private const int Ignored = -100;

    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "caption_logits" => CaptionLogits(request),
        "caption_loss" => CaptionLoss(request),
        "question_states" => QuestionStates(request),
        "answer_first_step" => AnswerFirstStep(request),
        "vqa_loss" => VqaLoss(request),
        "vqa_rank" => Rank(request),
        _ => new BlipGenerateCalls(models, golden).Run(name, request),
    };

    private CallResult CaptionLogits(CallRequest request)
    {
        request.Confirm("cache", "False");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var captioner = models.Captioner();
        var images = captioner.Vision.Forward(session, call.Pixels());
        call.Result.Outputs["logits"] = HostTensor.CopyOf(session, captioner.Decoder.Logits(session, call.Text().All, new CrossStates(images)));
        return call.Result;
    }

    private CallResult CaptionLoss(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var captioner = models.Captioner();
        var text = request.Has("input_ids") ? call.Text() : models.Text.Pad([.. request.Texts("text").Select(models.Text.Answer)]);
        var images = captioner.Vision.Forward(session, call.Pixels());
        AddLoss(call, captioner.Decoder.Logits(session, text.All, new CrossStates(images)));
        return call.Result;
    }

    private CallResult QuestionStates(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        call.Result.Outputs["last_hidden_state"] = HostTensor.CopyOf(session, call.Questions().Tokens);
        return call.Result;
    }

    private CallResult AnswerFirstStep(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var states = request.Floats("encoder_hidden_states");
        var tokens = session.TakeFloat(states.Shape);
        session.CopyIn<float>(states.Values, tokens);
        call.Result.Outputs["logits"] = HostTensor.CopyOf(session, models.Vqa().Decoder.Logits(session, call.Text().All, new CrossStates(tokens)));
        return call.Result;
    }

    /// <summary>transformers lets answers see the padding of questions in training, too.</summary>
    private CallResult VqaLoss(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var answers = call.Text("decoder_input_ids", "decoder_attention_mask");
        AddLoss(call, models.Vqa().Decoder.Logits(session, answers.All, call.Questions() with { Valid = default }));
        return call.Result;
    }

    private CallResult Rank(CallRequest request)
    {
        request.Confirm("cross_mask", "true question mask");
        ExpectSmoothing(request);
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var answers = call.Text("answer_ids", "answer_mask", "answers");
        int keep = request.Option("k_test")?.GetInt32() ?? throw new InvalidDataException("k_test is missing");
        var ranked = models.Vqa().Rank(session, answers.All, call.Questions(), keep);
        int[] best = [.. ranked.Select(r => r.MaxBy(a => a.Score).Index)];
        int[] shape = [ranked.Length, keep];
        HostTensor Column(Func<RankedAnswer, float> value) => new(shape, [.. ranked.SelectMany(r => r.Select(value))]);
        call.Result.Outputs["best"] = call.Result.Facts["best"] = new HostTensor([best.Length], Array.ConvertAll(best, b => (float)b));
        call.Result.Outputs["log_probs_sum"] = Column(a => a.Score);
        call.Result.Texts["answer"] = [[.. best.Select(b => request.Texts("answers")[b])]];
        call.Mids.Own["topk_ids"] = Column(a => a.Index);
        call.Mids.Own["topk_probs"] = Column(a => a.FirstToken);
        AddRankMids(call, answers);
        return call.Result;
    }

    private static void AddRankMids(BlipCall call, TokenBatch answers)
    {
        var start = call.Taps["rank.start"]!;
        int questions = start.Shape[0], vocabulary = start.Shape[2];
        call.Mids.Own["start_logits"] = start with { Shape = [questions, vocabulary] };
        var judged = new List<HostTensor>();
        while (call.Taps["rank.answers", judged.Count] is { } pass) judged.Add(pass);
        call.Mids.Own["answer_logits"] = new HostTensor([judged.Sum(j => j.Shape[0]), .. judged[0].Shape[1..]], [.. judged.SelectMany(j => j.Values)]);
        var first = new float[questions * answers.Count];
        for (int i = 0; i < first.Length; i++)
        {
            int token = answers.Ids[(i % answers.Count * answers.Length) + 1];
            first[i] = (float)Math.Exp(-TokenLoss.Of(start.Values.AsSpan(i / answers.Count * vocabulary, vocabulary), token, smoothing: 0));
        }
        call.Mids.Own["first_token_probability"] = new HostTensor([questions, answers.Count], first);
    }

    private void AddLoss(BlipCall call, Tensor logits)
    {
        float smoothing = ExpectSmoothing(call.Request);
        int[] labels = Array.ConvertAll(call.Request.Integers("labels").Values, v => checked((int)v));
        double[] losses = TokenLoss.PerText(call.Session, logits, labels, Ignored, smoothing);
        int length = logits.Shape[1], counted = Enumerable.Range(0, labels.Length).Count(i => i % length > 0 && labels[i] != Ignored);
        call.Result.Outputs["loss"] = call.Result.Facts["loss"] = new HostTensor([], [(float)(losses.Sum() / counted)]);
        call.Result.Outputs["per_caption"] = new HostTensor([losses.Length], Array.ConvertAll(losses, l => (float)l));
    }

    private float ExpectSmoothing(CallRequest request)
    {
        float smoothing = models.Config.LabelSmoothing;
        if (request.Option("label_smoothing")?.GetSingle() is { } expected && expected != smoothing) throw new InvalidDataException($"label smoothing is {smoothing}, not {expected}");
        return smoothing;
    }
}
