using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks.Verification;

/// <summary>The calls of BLIP goldens that find texts for pictures, or the other way round, in two stages.</summary>
internal sealed class BlipRerankCalls(BlipModels models)
{
    public CallResult Run(string name, CallRequest request)
    {
        request.Confirm("score", "ITM logit 1 + ITC cosine, [ENC]");
        int candidates = request.Option("k_test")?.GetInt32() ?? throw new InvalidDataException("k_test is missing");
        var call = new BlipCall(models, request);
        using var session = call.Session;
        var (matcher, text) = (models.Matcher(), call.Text());
        var images = matcher.Encoder.Vision.Forward(session, call.Pixels());
        int frames = request.Option("frames")?.GetInt32() ?? 1, count = images.Shape[0] / frames;
        var embeddings = frames > 1 ? matcher.EmbedVideos(session, images, frames) : matcher.EmbedImages(session, images);
        if (frames > 1) call.Mids.Own["video_feature"] = HostTensor.CopyOf(session, embeddings);
        float[] cosines = HostTensor.CopyOf(session, BlipMatcher.Similarity(session, embeddings, matcher.EmbedText(session, text.All))).Values;
        images = images.Reshape(count, frames * images.Shape[1], images.Columns);
        var reading = text.StartingWith(models.Config.Tokens.Encode);
        var reranking = new BlipReranking(matcher);
        var texts = new HostTensor([count, text.Count], reranking.TextsForImages(session, images, reading.All, cosines, candidates));
        var pictures = new HostTensor([text.Count, count], reranking.ImagesForTexts(session, images, reading.All, cosines, candidates));
        call.Result.Outputs["video_to_text"] = texts;
        call.Result.Outputs["text_to_video"] = pictures;
        var scores = name == "rerank_image_to_text" ? texts : pictures;
        call.Result.Outputs["scores"] = scores;
        call.Result.Lists["order"] = Orders(scores);
        return call.Result;
    }

    /// <summary>Indices of every row, best first. Of what was no candidate the order is open, unless it is one.</summary>
    private static int[][] Orders(HostTensor scores)
    {
        int columns = scores.Shape[1];
        return [.. scores.Ranking().Values.Chunk(columns).Select((order, row) =>
        {
            int excluded = scores.Values.AsSpan(row * columns, columns).Count(BlipReranking.Excluded);
            return order[..(excluded > 1 ? columns - excluded : columns)].Select(i => (int)i).ToArray();
        })];
    }
}
