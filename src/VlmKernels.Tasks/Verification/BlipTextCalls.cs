using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens that read texts: matching, re-ranking, comparing, features.</summary>
internal sealed class BlipTextCalls(BlipModels models)
{
    /// <summary>Runs a call; null when its name is not known.</summary>
    public CallResult? Run(string name, CallRequest request) => name switch
    {
        "rerank_image_to_text" or "rerank_text_to_image" or "rerank_video" => new BlipRerankCalls(models).Run(name, request),
        "features_text" or "features_multimodal" => Features(request, isPair: name == "features_multimodal"),
        "nlvr" or "nlvr_swapped" => Compare(request),
        "names" => Names(),
        "projected_image_features" or "projected_text_features" or "multimodal_features" => Projected(name, request),
        "logits_per_image" => PairLogits(request),
        _ when name.StartsWith("itm", StringComparison.Ordinal) => Match(request),
        _ when name.StartsWith("itc", StringComparison.Ordinal) => Similarity(request),
        _ => null,
    };

    private CallResult Match(CallRequest request)
    {
        if (request.Option("use_itm_head") is { ValueKind: System.Text.Json.JsonValueKind.False }) throw new InvalidDataException("use_itm_head is false, but the call asks for its logits");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var text = call.Text();
        string? first = request.Confirm("first_token", "[CLS]", "[ENC]");
        if (first is not null && (first == "[ENC]") != (text.Ids[0] == models.Config.Tokens.Encode)) throw new InvalidDataException($"texts begin with {text.Ids[0]}, which is not {first}");
        var pixels = call.Pixels();
        var matcher = models.Matcher(models.LoadSize(pixels.Width));
        var logits = matcher.MatchLogits(session, text.All, matcher.Encoder.Vision.Forward(session, pixels));
        call.Result.Outputs["itm_score"] = call.Result.Outputs["logits"] = HostTensor.CopyOf(session, logits);
        call.Result.Outputs["match_probability"] = MatchProbability(session, logits);
        return call.Result;
    }

    /// <summary>Softmax of match logits [n, 2], the second column: [n].</summary>
    public static HostTensor MatchProbability(Session session, Tensor logits)
    {
        session.Ops.Softmax(new SoftmaxArgs(logits, logits));
        var both = HostTensor.CopyOf(session, logits);
        return new HostTensor([both.Shape[0]], [.. Enumerable.Range(0, both.Shape[0]).Select(i => both.Values[(i * 2) + BlipMatcher.Match])]);
    }

    private CallResult Similarity(CallRequest request)
    {
        request.Confirm("use_itm_head", "False");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var pixels = call.Pixels();
        var matcher = models.Matcher(models.LoadSize(pixels.Width));
        Tensor images = matcher.EmbedImages(session, matcher.Encoder.Vision.Forward(session, pixels)), texts = matcher.EmbedText(session, call.Text().All);
        call.Mids.Own["image_feature"] = HostTensor.CopyOf(session, images);
        call.Mids.Own["text_feature"] = HostTensor.CopyOf(session, texts);
        call.Result.Outputs["similarity"] = HostTensor.CopyOf(session, BlipMatcher.Similarity(session, images, texts));
        return call.Result;
    }

    private CallResult Features(CallRequest request, bool isPair)
    {
        request.Confirm("mode", isPair ? "multimodal" : "text");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var (encoder, text) = (models.Encoder(), call.Text());
        var features = isPair ? encoder.EncodePairs(session, text.All, encoder.Vision.Forward(session, call.Pixels())) : encoder.EncodeText(session, text.All);
        call.Result.Outputs["features"] = HostTensor.CopyOf(session, features);
        call.Result.Lists["ids"] = [.. request.Has("text") ? request.Texts("text").Select(t => models.Tokenizer.Encode(t)) : []];
        return call.Result;
    }

    private CallResult Compare(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var nlvr = models.Nlvr();
        var logits = HostTensor.CopyOf(session, nlvr.Judge(session, call.Text().All, nlvr.Vision.Forward(session, call.Pixels())));
        call.Result.Outputs["logits"] = logits;
        call.Result.Facts["prediction"] = logits.ArgMax();
        return call.Result;
    }

    /// <summary>What a file that was only pre-trained lacks of the model that compares pictures, in the first layer of either kind and behind them.</summary>
    private CallResult Names()
    {
        var config = models.Config;
        var found = NameRecorder.Of(root => new BlipEncoder(root, config)).ToHashSet();
        var twin = BlipLayouts.Twin(models.Checkpoint.Weights.Layout);
        var missing = NameRecorder.Of(root => new BlipNlvr(root, config)).Select(n => (Asked: n, Stored: twin.NameInFile(n)));
        // The recorder gives the model's names, a layout the file's: those of texts are the same in both.
        var lacking = missing.Where(n => !n.Asked.StartsWith("vision_model.", StringComparison.Ordinal) && !found.Contains(n.Stored)).Select(n => n.Asked);
        var result = new CallResult();
        result.Texts["still_missing_for_layers_0_and_6"] = [[.. lacking.Where(n => !n.Contains(".layer.", StringComparison.Ordinal) || n.Contains(".layer.0.", StringComparison.Ordinal) || n.Contains(".layer.6.", StringComparison.Ordinal))]];
        return result;
    }

    private CallResult Projected(string name, CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var pair = models.Pair();
        var images = name == "projected_text_features" ? default : pair.Vision.Forward(session, call.Pixels());
        var features = name == "projected_image_features" ? pair.EmbedImages(session, images) : pair.EmbedText(session, call.Text().All, images);
        call.Result.Outputs["features"] = HostTensor.CopyOf(session, features);
        return call.Result;
    }

    private CallResult PairLogits(CallRequest request)
    {
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var pair = models.Pair();
        if (request.Option("logit_scale_exp")?.GetSingle() is { } scale && Math.Abs(scale - pair.LogitScale) > 1e-5f * scale) throw new InvalidDataException($"the logit scale is {pair.LogitScale}, not {scale}");
        var images = BlipPair.Normalize(session, pair.EmbedImages(session, pair.Vision.Forward(session, call.Pixels())));
        var texts = BlipPair.Normalize(session, pair.EmbedText(session, call.Text().All));
        call.Result.Outputs["image_embeds"] = HostTensor.CopyOf(session, images);
        call.Result.Outputs["text_embeds"] = HostTensor.CopyOf(session, texts);
        var logits = session.TakeFloat(images.Shape[0], texts.Shape[0]);
        session.Ops.MatMul(new MatMulArgs(images, texts, logits, pair.LogitScale));
        call.Result.Outputs["logits_per_image"] = HostTensor.CopyOf(session, logits);
        return call.Result;
    }
}
