using VlmKernels.Kernels;

namespace VlmKernels.Models;

/// <summary>
/// Retrieval in two stages (salesforce/BLIP, <c>train_retrieval.py</c>, <c>evaluation</c>): cosines choose candidates, then each is read together with
/// the query. A candidate's score is its match logit plus its cosine.
/// </summary>
/// <param name="matcher">The model.</param>
public sealed class BlipReranking(BlipMatcher matcher)
{
    /// <summary>Score of what was no candidate.</summary>
    public const float Excluded = -100;

    // Pictures differ, so each brings keys and values of its own: some at a time.
    private const int ImagesPerPass = 16;

    /// <summary>Finds texts for every picture.</summary>
    /// <param name="s">The session.</param>
    /// <param name="images">[pictures, tokens, vision width]; a video's frames are one row of tokens.</param>
    /// <param name="text">The texts, [ENC] or [CLS] first as <see cref="BlipConfig.Conventions"/> say.</param>
    /// <param name="similarity">Cosines, pictures · texts.</param>
    /// <param name="candidates">Candidates per picture.</param>
    /// <returns>Scores, pictures · texts.</returns>
    public float[] TextsForImages(Session s, Tensor images, TextIds text, ReadOnlySpan<float> similarity, int candidates)
    {
        int count = images.Shape[0], tokens = images.Shape[1];
        var scores = NoCandidates(count * text.Batch);
        for (int i = 0; i < count; i++)
        {
            var cosines = similarity.Slice(i * text.Batch, text.Batch);
            int[] kept = Largest.Of(cosines, Math.Min(candidates, text.Batch));
            var image = images.SliceRows(i * tokens, tokens).Reshape(1, tokens, images.Columns);
            float[] matches = Match(s, text.Pick(kept), image);
            for (int c = 0; c < kept.Length; c++) scores[(i * text.Batch) + kept[c]] = matches[c] + cosines[kept[c]];
        }
        return scores;
    }

    /// <summary>Finds pictures for every text; parameters as above.</summary>
    /// <returns>Scores, texts · pictures.</returns>
    public float[] ImagesForTexts(Session s, Tensor images, TextIds text, ReadOnlySpan<float> similarity, int candidates)
    {
        int count = images.Shape[0];
        var scores = NoCandidates(text.Batch * count);
        var cosines = new float[count];
        for (int t = 0; t < text.Batch; t++)
        {
            for (int i = 0; i < count; i++) cosines[i] = similarity[(i * text.Batch) + t];
            foreach (int[] kept in Largest.Of(cosines, Math.Min(candidates, count)).Chunk(ImagesPerPass))
            {
                int[] repeated = new int[kept.Length];
                Array.Fill(repeated, t);
                using var mark = s.Mark();
                float[] matches = Match(s, text.Pick(repeated), BlipVisionTower.Pick(s, images, kept));
                for (int c = 0; c < kept.Length; c++) scores[(t * count) + kept[c]] = matches[c] + cosines[kept[c]];
            }
        }
        return scores;
    }

    private float[] Match(Session s, TextIds text, Tensor images)
    {
        using var mark = s.Mark();
        var logits = new float[text.Batch * 2];
        s.CopyOut<float>(matcher.MatchLogits(s, text, images), logits);
        var matches = new float[text.Batch];
        for (int i = 0; i < matches.Length; i++) matches[i] = logits[(i * 2) + BlipMatcher.Match];
        return matches;
    }

    private static float[] NoCandidates(int count)
    {
        var scores = new float[count];
        Array.Fill(scores, Excluded);
        return scores;
    }
}
