using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>A hit whose picture was read together with the text.</summary>
/// <param name="Score">What hits are ordered by.</param>
/// <param name="Probability">That picture and text belong together (ITM).</param>
/// <param name="Hit">What the index said.</param>
public readonly record struct RerankedHit(float Score, float Probability, SearchHit Hit);

/// <summary>
/// Orders the candidates that an index gave for a text by reading each picture together with the text. Where the index is of the same model, a score
/// is the logit of a match plus the index's cosine, as in train_retrieval.py of salesforce/BLIP; otherwise it is the probability of a match, since
/// cosines of another model are on another scale.
/// </summary>
/// <param name="model">Judges the pictures.</param>
/// <param name="session">A session on its backend.</param>
/// <param name="ofSameModel">Whether the index's embeddings are the model's own.</param>
public sealed class Reranker(BlipMatchRuntime model, Session session, bool ofSameModel)
{
    /// <summary>Judges candidates.</summary>
    /// <param name="text">What was searched for.</param>
    /// <param name="candidates">What the index gave.</param>
    /// <param name="locate">From a path of the index to a file.</param>
    /// <param name="unreadable">Gets the reason of each picture that cannot be read and is left out.</param>
    /// <returns>The others, the best first; of equally good ones the index's order.</returns>
    /// <exception cref="InvalidDataException">The model gave a score that is no finite number.</exception>
    public IReadOnlyList<RerankedHit> Rerank(string text, IReadOnlyList<SearchHit> candidates, Func<string, string> locate, Action<string> unreadable)
    {
        var judged = new List<RerankedHit>(candidates.Count);
        using var reader = PictureReader.OfFiles(model, [.. candidates.Select(c => locate(c.Path))], model.PicturesAtOnce);
        foreach (var batch in reader.Batches())
        {
            foreach (var (_, reason) in batch.Unreadable) unreadable(reason);
            if (batch.Read.Count == 0) continue;
            var scores = model.Match(session, batch.Pixels, batch.Read.Count, [.. Enumerable.Repeat(text, batch.Read.Count)]);
            for (int i = 0; i < scores.Length; i++) judged.Add(Judge(candidates[batch.Read[i]], scores[i]));
        }
        return [.. judged.OrderByDescending(j => j.Score)];
    }

    private RerankedHit Judge(SearchHit hit, MatchScore match)
    {
        float score = ofSameModel ? match.Logit + hit.Score : match.Probability;
        return float.IsFinite(score) ? new RerankedHit(score, match.Probability, hit) : throw new InvalidDataException($"{hit.Path}: the model gave a score that is no finite number");
    }
}
