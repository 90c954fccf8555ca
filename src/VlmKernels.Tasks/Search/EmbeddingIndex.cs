using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>What a query found.</summary>
/// <param name="Score">Inner product of query and stored embedding: their cosine, both being normalised.</param>
/// <param name="Row">Row of the embedding, counted through all files.</param>
/// <param name="Path">The picture's path as the metadata holds it.</param>
public readonly record struct SearchHit(float Score, long Row, string Path);

/// <summary>
/// Embeddings of pictures in clip-retrieval's layout: <c>img_emb/img_emb_{i}.npy</c> and <c>metadata/metadata_{i}.parquet</c> with a column
/// <c>image_path</c>. Files are mapped and searched exhaustively, so that the result is exact. Immutable but for paths, which are read on demand;
/// one thread at a time may search.
/// </summary>
public sealed class EmbeddingIndex : IDisposable
{
    // Scores that wait for their selection at once; they stay in a cache.
    private const int ScoresAtOnce = 1 << 20, LeastRowsAtOnce = 1 << 12;

    private readonly IndexShard[] _shards;

    private EmbeddingIndex(string folder, IndexShard[] shards) => (Folder, _shards, MissingShards) = (folder, shards, Math.Max(0, (EmbedRun.ShardsOf(folder) ?? 0) - shards.Length));

    /// <summary>The index's folder.</summary>
    public string Folder { get; }

    /// <summary>Number of embeddings.</summary>
    public long Count => _shards.Sum(s => (long)s.Rows.Rows);

    /// <summary>Shards that <c>vlm embed</c> was asked for and has not written.</summary>
    public int MissingShards { get; }

    /// <summary>Numbers of an embedding.</summary>
    public int EmbeddingSize => _shards[0].Rows.Columns;

    /// <summary>Opens an index; no embedding is read yet.</summary>
    /// <param name="folder">The folder that holds <c>img_emb</c> and <c>metadata</c>.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="InvalidDataException">A file is missing or broken, or files do not fit each other.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static EmbeddingIndex Open(string folder, IBackend backend)
    {
        var shards = new List<IndexShard>();
        try
        {
            foreach (string file in IndexShard.Find(folder))
            {
                shards.Add(IndexShard.Open(folder, file, backend));
                int expected = shards[0].Rows.Columns, found = shards[^1].Rows.Columns;
                if (found != expected) throw new InvalidDataException($"{file}: expected embeddings of {expected} numbers, as in img_emb_0.npy, found {found}");
            }
            if (shards.All(s => s.Rows.Rows == 0)) throw new InvalidDataException($"{folder}: expected embeddings, found none in {shards.Count} files");
            return new EmbeddingIndex(folder, [.. shards]);
        }
        catch
        {
            shards.ForEach(s => s.Dispose());
            throw;
        }
    }

    /// <summary>The k embeddings nearest to each query, nearest first; of equally near ones the earlier row.</summary>
    /// <param name="session">A session on the index's backend.</param>
    /// <param name="queries">[queries, embedding] F, normalised.</param>
    /// <param name="k">How many; more than there are means all.</param>
    /// <returns>[queries][at most k].</returns>
    /// <exception cref="ArgumentException">k is below 1.</exception>
    /// <exception cref="InvalidDataException">Queries are of another size than the index's embeddings, or a hit is no finite number, because its embedding is not of such.</exception>
    public IReadOnlyList<IReadOnlyList<SearchHit>> Search(Session session, Tensor queries, int k)
    {
        if (k < 1) throw new ArgumentException($"expected at least 1 hit, found {k}");
        if (queries.Columns != EmbeddingSize) throw new InvalidDataException($"{_shards[0].Matrix.Path}: expected embeddings of {queries.Columns} numbers, as the model makes them, found {EmbeddingSize}");
        var best = new List<Candidate>[queries.Rows];
        for (int q = 0; q < best.Length; q++) best[q] = [];
        int rowsAtOnce = Math.Max(LeastRowsAtOnce, ScoresAtOnce / Math.Max(1, queries.Rows));
        for (int shard = 0; shard < _shards.Length; shard++)
        {
            int rows = _shards[shard].Rows.Rows;
            for (int first = 0; first < rows; first += rowsAtOnce) Select(session, queries, shard, first, Math.Min(rowsAtOnce, rows - first), k, best);
        }
        return [.. best.Select(c => c.OrderByDescending(h => h.Score).ThenBy(h => h.Shard).ThenBy(h => h.Row).Take(k).Select(Hit).ToArray())];
    }

    /// <summary>Lets go of the files.</summary>
    public void Dispose()
    {
        foreach (var shard in _shards) shard.Dispose();
    }

    private void Select(Session session, Tensor queries, int shard, int first, int count, int k, List<Candidate>[] best)
    {
        using var mark = session.Mark();
        int kept = Math.Min(k, count);
        Tensor scores = session.TakeFloat(queries.Rows, count), values = session.TakeFloat(queries.Rows, kept), ids = session.TakeInt(queries.Rows, kept);
        session.Ops.InnerProduct(new InnerProductArgs(queries, _shards[shard].Rows.SliceRows(first, count), scores));
        session.Ops.TopK(new TopKArgs(scores, values, ids));
        float[] score = new float[queries.Rows * kept];
        int[] row = new int[score.Length];
        session.CopyOut<float>(values, score);
        session.CopyOut<int>(ids, row);
        for (int i = 0; i < score.Length; i++)
        {
            if (!float.IsFinite(score[i])) throw new InvalidDataException($"{_shards[shard].Matrix.Path}: row {first + row[i]}: expected finite numbers, found a score of {score[i]}");
            best[i / kept].Add(new Candidate(score[i], shard, first + row[i]));
        }
    }

    private SearchHit Hit(Candidate c) => new(c.Score, _shards.Take(c.Shard).Sum(s => (long)s.Rows.Rows) + c.Row, _shards[c.Shard].PathOf(c.Row));

    private readonly record struct Candidate(float Score, int Shard, int Row);
}
