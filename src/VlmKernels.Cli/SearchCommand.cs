using System.CommandLine;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm search</c>: the pictures of an index that are nearest to texts or pictures.</summary>
internal static class SearchCommand
{
    private const int DefaultTop = 10, DefaultCandidates = 50, LongestQuery = 60;

    public static Command Create()
    {
        var common = new CommonOptions();
        var index = new Argument<string>("index") { Description = "Folder of embeddings: img_emb/img_emb_0.npy and so on, and metadata/metadata_0.parquet with the column image_path." };
        var texts = new Option<string[]>("--text") { Description = "A text to search for; may be given several times." };
        var pictures = new Option<string[]>("--picture") { Description = "A picture to search for; may be given several times." };
        var from = new Option<string[]>("--from") { Description = "Pictures to put into the index first, as vlm embed does: files, folders, quoted patterns. What an earlier run did is not done again; for other pictures, vlm embed --overwrite begins a new index." };
        var top = CommonOptions.Number("--top", $"How many hits to print for each query; by default {DefaultTop}.");
        var model = CommonOptions.Model();
        var rerank = new Option<string?>("--rerank") { Description = $"Reads the candidates' pictures together with the text and orders them by that: by the model given here, by --model where that is a BLIP that matches, or by {ModelCatalog.Matcher}. Paths are looked up as for --sheet.", HelpName = "model", Arity = ArgumentArity.ZeroOrOne };
        var candidates = CommonOptions.Number("--candidates", $"With --rerank: how many hits of the index to read; by default {DefaultCandidates}, or --top where that is more.");
        var sheet = new Option<string?>("--sheet") { Description = "Writes the hits as small pictures to this PNG. Paths in the metadata are looked up from the current folder, then from the folder that holds the index." };
        var command = new Command("search", "Finds the pictures of an index that are nearest to texts or pictures (CLIP, or a BLIP that matches).") { index, texts, pictures, from, top, model, rerank, candidates, sheet, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            string[] words = parsed.GetValue(texts) ?? [], files = parsed.GetValue(pictures) ?? [];
            int most = parsed.GetValue(top) ?? DefaultTop;
            if (words.Length + files.Length == 0) throw new ArgumentException("nothing to search for: give --text or --picture");
            if (most < 1) throw new ArgumentException($"--top: expected at least 1, found {most}");
            bool reranks = parsed.GetResult(rerank) is not null;
            int read = Candidates(parsed.GetValue(candidates), most, reranks);
            if (reranks && files.Length > 0) throw new ArgumentException("--rerank: expected texts to search for, found --picture");
            if (parsed.GetValue(sheet) is { } target) CheckSheet(target, words.Length + files.Length, most);
            using var backend = common.Open(parsed);
            using var embedder = CommonOptions.Load(parsed.GetValue(model)!, path => EmbeddingModels.Open(path, backend));
            using var session = new Session(backend);
            if (parsed.GetValue(from) is { Length: > 0 } sources) Add(embedder, session, parsed.GetValue(index)!, sources);
            using var opened = EmbeddingIndex.Open(parsed.GetValue(index)!, backend);
            if (opened.MissingShards > 0) Terminal.Note(Terminal.Text($"{opened.MissingShards} shards of the index are missing"));
            var found = opened.Search(session, Embed(embedder, session, words, files), read);
            IReadOnlyList<IReadOnlyList<Hit>> hits = reranks ? Rerank(embedder, backend, session, parsed.GetValue(model)!, parsed.GetValue(rerank), opened, words, found, most)
                : [.. found.Select(q => q.Select(h => new Hit(h.Path, h.Score)).ToArray())];
            string[] queries = [.. words, .. files];
            if (parsed.GetValue(common.Json)) WriteJson(queries, words.Length, hits);
            else Print(queries, hits, reranks);
            if (parsed.GetValue(sheet) is { } png) WriteSheet(png, opened, hits);
            return 0;
        }));
        return command;
    }

    /// <summary>Embeds pictures into the index, unless an earlier run did.</summary>
    private static void Add(IEmbeddingModel embedder, Session session, string index, string[] sources)
    {
        var list = Terminal.While("listing the pictures", () => EmbedInputs.Pictures(sources, TextReader.Null));
        using var run = EmbedRun.Open(embedder, session, list, new EmbedOptions(index));
        if (run.Done > 0 && !run.Finished) Terminal.Note(Terminal.Text($"going on after {run.Done} pictures of an earlier run"));
        var result = Terminal.Cancellable(cancel => Terminal.Track("embedding", run.Remaining, report => run.Run(report, cancel), "pictures"));
        if (result.Errors == 0) return;
        string errors = result.Files.First(f => f.EndsWith(".jsonl", StringComparison.Ordinal));
        if (result.Count == 0) throw new InvalidDataException($"no picture could be read: see {errors}");
        Terminal.Note(Terminal.Text($"{result.Errors} of {result.Count + result.Errors} pictures are not in the index: see {errors}"));
    }

    /// <summary>Texts, then pictures: [queries, embedding] F.</summary>
    private static Tensor Embed(IEmbeddingModel embedder, Session session, string[] texts, string[] files)
    {
        var queries = session.TakeFloat(texts.Length + files.Length, embedder.EmbeddingSize);
        using var mark = session.Mark();
        if (texts.Where(embedder.IsCut).ToArray() is { Length: > 0 } cut) Terminal.Note($"too long for the model, which does not see their ends: {string.Join(", ", cut.Select(Short))}");
        if (texts.Length > 0) session.Ops.CopyRows(CopyRowsArgs.All(embedder.EmbedTexts(session, texts), queries.SliceRows(0, texts.Length)));
        if (files.Length > 0) session.Ops.CopyRows(CopyRowsArgs.All(embedder.EmbedPixels(session, PictureArgument.Prepare(embedder, orient: true, files), files.Length), queries.SliceRows(texts.Length, files.Length)));
        float[] values = new float[queries.Shape.Count];
        session.CopyOut<float>(queries, values);
        return values.All(float.IsFinite) ? queries : throw new InvalidDataException("the model gave embeddings that are no finite numbers");
    }

    private static int Candidates(int? given, int top, bool reranks)
    {
        if (!reranks) return given is null ? top : throw new ArgumentException("--candidates: belongs to --rerank");
        int candidates = given ?? Math.Max(DefaultCandidates, top);
        return candidates >= top ? candidates : throw new ArgumentException($"--candidates: expected at least the hits to print, {top}, found {candidates}");
    }

    /// <summary>The best of each text's candidates, judged by the model named, the embedder where that can judge, or the shipped one.</summary>
    private static IReadOnlyList<IReadOnlyList<Hit>> Rerank(IEmbeddingModel embedder, IBackend backend, Session session, string model, string? named, EmbeddingIndex index, string[] texts, IReadOnlyList<IReadOnlyList<SearchHit>> found, int top)
    {
        string path = ModelCatalog.Resolve(named ?? (embedder is BlipMatchRuntime ? model : ModelCatalog.Matcher));
        bool isSame = embedder is BlipMatchRuntime && Path.GetFullPath(path) == Path.GetFullPath(ModelCatalog.Resolve(model));
        using var other = isSame ? null : Terminal.While("loading the model that reads", () => BlipMatchRuntime.Open(path, backend));
        foreach (string note in other?.Notes ?? []) Terminal.Note(note);
        var reranker = new Reranker(other ?? (BlipMatchRuntime)embedder, session, isSame);
        var unreadable = new SortedSet<string>(StringComparer.Ordinal);
        var judged = Terminal.While("reading the candidates", () => texts.Select((t, i) => reranker.Rerank(t, found[i], p => Locate(index, p), r => unreadable.Add(r))).ToArray());
        if (judged.All(j => j.Count == 0)) throw new InvalidDataException($"no candidate's picture could be read: {unreadable.First()}");
        foreach (string reason in unreadable) Terminal.Note($"left out: {reason}");
        return [.. judged.Select(q => q.Take(top).Select(j => new Hit(j.Hit.Path, j.Score, (j.Hit.Score, j.Probability))).ToArray())];
    }

    /// <summary>The file of a path in the metadata: from the current folder, otherwise from the folder that holds the index.</summary>
    private static string Locate(EmbeddingIndex index, string path)
        => File.Exists(path) ? path : Path.Combine(Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(index.Folder))) ?? index.Folder, path);

    private static string Short(string text) => text.Length > LongestQuery ? $"{text.AsSpan(0, LongestQuery)}…" : text;

    /// <summary>What would keep the sheet from being written, before the work.</summary>
    private static void CheckSheet(string file, int queries, int top)
    {
        if (Directory.Exists(file)) throw new ArgumentException($"--sheet: expected the name of a file, found the folder {file}");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder)) throw new DirectoryNotFoundException($"--sheet: expected a file in a folder that exists, found {file}");
        ContactSheet.RequireRoom(queries, top);
    }

    private static void WriteSheet(string file, EmbeddingIndex index, IReadOnlyList<IReadOnlyList<Hit>> hits)
    {
        var faults = ContactSheet.Write(file, [.. hits.Select(q => q.Select((h, i) => new SheetPicture(i + 1, h.Score, Locate(index, h.Path))).ToArray())]);
        foreach (string fault in faults) Terminal.Note($"grey on the sheet: {fault}");
    }

    private static void Print(string[] queries, IReadOnlyList<IReadOnlyList<Hit>> hits, bool reranked)
    {
        var table = reranked ? Terminal.Table("query", "rank", "score", "index", "match", "path") : Terminal.Table("query", "rank", "score", "path");
        for (int q = 0; q < queries.Length; q++)
        {
            for (int i = 0; i < hits[q].Count; i++)
            {
                var hit = hits[q][i];
                string[] judged = hit.Judged is { } j ? [Terminal.Text($"{j.Index,7:F4}"), Terminal.Text($"{100 * j.Probability,8:F4} %")] : [];
                table.AddRow([Terminal.Cell(i == 0 ? queries[q] : "", LongestQuery), Terminal.Text($"{i + 1,4}"), Terminal.Text($"{hit.Score,7:F4}"), .. judged, Terminal.Cell(hit.Path)]);
            }
        }
        Terminal.Print(table);
    }

    private static void WriteJson(string[] queries, int texts, IReadOnlyList<IReadOnlyList<Hit>> hits)
    {
        for (int q = 0; q < queries.Length; q++)
        {
            int query = q;
            Terminal.Json(
                w =>
                {
                    w.WriteStartObject();
                    w.WriteString(query < texts ? "text" : "picture", queries[query]);
                    w.WriteStartArray("hits");
                    for (int i = 0; i < hits[query].Count; i++)
                    {
                        w.WriteStartObject();
                        w.WriteNumber("rank", i + 1);
                        w.WriteNumber("score", hits[query][i].Score);
                        if (hits[query][i].Judged is { } judged)
                        {
                            w.WriteNumber("index_score", judged.Index);
                            w.WriteNumber("match_probability", judged.Probability);
                        }
                        w.WriteString("path", hits[query][i].Path);
                        w.WriteEndObject();
                    }
                    w.WriteEndArray();
                    w.WriteEndObject();
                },
                indented: false);
        }
    }

    /// <summary>A line of the result.</summary>
    /// <param name="Judged">Score of the index and probability of a match, where the picture was read together with the text.</param>
    private readonly record struct Hit(string Path, float Score, (float Index, float Probability)? Judged = null);
}
