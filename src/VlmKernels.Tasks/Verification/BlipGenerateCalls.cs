using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens that write texts.</summary>
internal sealed class BlipGenerateCalls(BlipModels models, GoldenCase golden)
{
    // What goldens store for −∞.
    private const float Hidden = -1e30f;

    private bool IsHuggingFace => models.Checkpoint.IsHuggingFace;

    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "capfilt" => Filter(request),
        _ when name.StartsWith("vqa_generate", StringComparison.Ordinal) => Answer(request),
        _ when name.StartsWith("generate", StringComparison.Ordinal) || name.StartsWith("caption", StringComparison.Ordinal) => Caption(request),
        _ when name.StartsWith("sample", StringComparison.Ordinal) => new BlipSampleCalls(models, golden).Run(name, request),
        _ => null,
    };

    private CallResult Caption(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var captioner = models.Captioner();
        var images = captioner.Vision.Forward(session, call.Pixels());
        int[][] prompts = Prompts(call, images.Shape[0]);
        call.Result.Lists["prompt_ids"] = [prompts[0]];
        var options = Options(request, captioner.Config.Conventions.Captions);
        var result = captioner.Decoder.Write(session, images, prompts, options, withTrace: true);
        Add(call.Result, result, options, prompts);
        string[] texts = [.. result.Sequences.Select(q => models.Text.DecodeCaption(q.Tokens))];
        call.Result.Texts["text"] = call.Result.Texts["captions"] = [texts];
        return call.Result;
    }

    /// <summary>Answers see the padding of questions here, unlike when they are ranked.</summary>
    private CallResult Answer(CallRequest request)
    {
        request.Confirm("cross_mask", "all ones (padded question rows attended)");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var vqa = models.Vqa();
        var questions = call.Questions().Tokens;
        int[][] prompts = [.. Enumerable.Repeat<int[]>([models.Config.Tokens.Begin], questions.Shape[0])];
        var options = Options(request, vqa.Config.Conventions.Answers);
        var result = vqa.Decoder.Write(session, questions, prompts, options, withTrace: true);
        Add(call.Result, result, options, prompts);
        call.Result.Texts["text"] = call.Result.Texts["answers"] = [[.. result.Sequences.Select(q => models.Text.Decode(q.Tokens))]];
        return call.Result;
    }

    /// <summary>Captions and texts from the web, each kept when a second model says that it fits its picture (Li et al. 2022, CapFilt).</summary>
    private CallResult Filter(CallRequest request)
    {
        request.Confirm("first_token", "[ENC]");
        request.Confirm("cleaning", "pre_caption(text, 30)");
        request.Confirm("captioner", Path.GetFileName(models.Checkpoint.Path));
        float threshold = request.Option("threshold")!.Value.GetSingle();
        var call = new BlipCall(models, request);
        using var session = call.Session;
        using var filter = new BlipModels(golden, Path.Combine(golden.Folder, request.Option("filter")!.Value.GetString()!), models.Backend);
        var pixels = call.Pixels();
        string[] web = request.Texts("web_text");
        var captioner = models.Captioner();
        var options = Options(request, captioner.Config.Conventions.Captions, "generation");
        var captions = captioner.Decoder.Write(session, captioner.Vision.Forward(session, pixels), [.. web.Select(_ => models.Text.CaptionPrompt())], options);
        string[] synthetic = [.. captions.Sequences.Select(q => models.Text.DecodeCaption(q.Tokens))];
        var images = filter.Matcher().Encoder.Vision.Forward(session, pixels);
        bool[] keepsWeb = Judge(call, filter, images, web, "web", threshold), keepsSynthetic = Judge(call, filter, images, synthetic, "synthetic", threshold);
        call.Result.Texts["synthetic"] = [synthetic];
        call.Result.Texts["web_cleaned"] = [[.. web.Select(t => Inputs.BlipCleaning.Caption(t, 30))]];
        call.Result.Texts["kept"] = [.. web.Select((t, i) => (string[])[.. keepsWeb[i] ? [t] : Array.Empty<string>(), .. keepsSynthetic[i] ? [synthetic[i]] : Array.Empty<string>()])];
        return call.Result;
    }

    private static bool[] Judge(BlipCall call, BlipModels filter, Tensor images, string[] texts, string name, float threshold)
    {
        var batch = filter.Text.Pad([.. texts.Select(filter.Text.Match)], toTextLength: true);
        call.Mids.Own[name + "_ids"] = new HostTensor([batch.Count, batch.Length], Array.ConvertAll(batch.Ids, id => (float)id));
        call.Mids.Own[name + "_mask"] = new HostTensor([batch.Count, batch.Length], Array.ConvertAll(batch.Valid, v => (float)v));
        var logits = filter.Matcher().MatchLogits(call.Session, batch.All, images);
        call.Result.Outputs[name + "_logits"] = HostTensor.CopyOf(call.Session, logits);
        var probability = call.Result.Outputs[name + "_probability"] = BlipTextCalls.MatchProbability(call.Session, logits);
        bool[] keeps = Array.ConvertAll(probability.Values, p => p > threshold);
        call.Result.Facts["keep_" + name] = new HostTensor([keeps.Length], Array.ConvertAll(keeps, k => k ? 1f : 0));
        return keeps;
    }

    private int[][] Prompts(BlipCall call, int count)
    {
        string[] texts = call.Request.Has("prompt") ? call.Request.Texts("prompt") : [""];
        if (texts.Length == 1) texts = [.. Enumerable.Repeat(texts[0], count)];
        if (call.Request.Has("input_ids")) call.Text(strings: "prompt");
        return IsHuggingFace && texts[0].Length > 0 ? models.Text.CaptionPromptsInOneBatch(texts) : [.. texts.Select(models.Text.CaptionPrompt)];
    }

    /// <summary>The layout's defaults with what the call sets.</summary>
    private GenerationOptions Options(CallRequest request, GenerationOptions defaults, string? section = null)
    {
        var given = section is null ? null : request.Option(section);
        System.Text.Json.JsonElement? Take(string name) => given is not { } s ? request.Option(name) : s.TryGetProperty(name, out var value) ? value : null;
        request.Confirm("do_sample", "False");
        request.Confirm("sample", "False");
        int beams = Take("num_beams")?.GetInt32() ?? defaults.RowsPerPrompt;
        int? longest = Take("max_length")?.GetInt32(), newTokens = Take("max_new_tokens")?.GetInt32();
        return models.Config.WithTokens(defaults) with
        {
            Mode = beams > 1 ? GenerationMode.Beam : GenerationMode.Greedy,
            Beams = beams,
            MaxLength = longest ?? (newTokens is null ? defaults.MaxLength : 0),
            MaxNewTokens = newTokens ?? (longest is null ? defaults.MaxNewTokens : 0),
            MinLength = Take("min_length")?.GetInt32() ?? defaults.MinLength,
            RepetitionPenalty = Take("repetition_penalty")?.GetSingle() ?? defaults.RepetitionPenalty,
            LengthPenalty = Take("length_penalty")?.GetSingle() ?? defaults.LengthPenalty,
            Returned = Take("num_return_sequences")?.GetInt32() ?? 1,
            PadsWithEnd = IsHuggingFace && beams > 1,
        };
    }

    private static void Add(CallResult into, GenerationResult result, GenerationOptions options, int[][] prompts)
    {
        int[][] rows = result.Padded(options);
        into.Lists["ids"] = rows;
        into.Outputs["sequences"] = new HostTensor([rows.Length, rows[0].Length], [.. rows.SelectMany(r => r.Select(id => (float)id))]);
        into.Outputs["sequences_scores"] = into.Facts["beam_scores"] = new HostTensor([rows.Length], [.. result.Sequences.Select(q => q.Score ?? float.NaN)]);
        if (options.Mode == GenerationMode.Beam) return;
        into.Outputs["step_logits"] = Steps(result.Trace!.Logits, rows.Length);
        into.Outputs["step_scores"] = Steps(result.Trace.Scores, rows.Length);
        into.Facts["margin"] = new HostTensor([], [Margin(into.Outputs["step_logits"], result, prompts)]);
    }

    private static HostTensor Steps(IReadOnlyList<float[]> steps, int rows)
        => new([steps.Count, rows, steps[0].Length / rows], [.. steps.SelectMany(s => s.Select(v => float.IsNegativeInfinity(v) ? Hidden : v))]);

    /// <summary>The smallest distance between the two largest logits of a step that chose a token.</summary>
    private static float Margin(HostTensor steps, GenerationResult result, int[][] prompts)
    {
        float smallest = float.PositiveInfinity;
        int rows = steps.Shape[1], vocabulary = steps.Shape[2];
        for (int row = 0; row < rows; row++)
        {
            int count = result.Sequences[row].Tokens.Count - prompts[row].Length;
            for (int step = 0; step < count; step++)
            {
                float[] logits = [.. steps.Values.AsSpan(((step * rows) + row) * vocabulary, vocabulary).ToArray().OrderDescending().Take(2)];
                smallest = Math.Min(smallest, logits[0] - logits[1]);
            }
        }
        return smallest;
    }
}
