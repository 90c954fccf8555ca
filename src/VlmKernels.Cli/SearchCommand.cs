using System.CommandLine;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm search</c>: the pictures of an index that are nearest to texts or pictures.</summary>
internal static class SearchCommand
{
    private const int DefaultTop = 10, LongestQuery = 60;

    public static Command Create()
    {
        var common = new CommonOptions();
        var index = new Argument<string>("index") { Description = "Folder of embeddings: img_emb/img_emb_0.npy and so on, and metadata/metadata_0.parquet with the column image_path." };
        var texts = new Option<string[]>("--text") { Description = "A text to search for; may be given several times." };
        var pictures = new Option<string[]>("--picture") { Description = "A picture to search for; may be given several times." };
        var from = new Option<string[]>("--from") { Description = "Pictures to put into the index first, as vlm embed does: files, folders, quoted patterns. What an earlier run did is not done again; for other pictures, vlm embed --overwrite begins a new index." };
        var top = CommonOptions.Number("--top", $"How many hits to print for each query; by default {DefaultTop}.");
        var model = CommonOptions.Model();
        var sheet = new Option<string?>("--sheet") { Description = "Writes the hits as small pictures to this PNG. Paths in the metadata are looked up from the current folder, then from the folder that holds the index." };
        var command = new Command("search", "Finds the pictures of an index that are nearest to texts or pictures (CLIP, or a BLIP that matches).") { index, texts, pictures, from, top, model, sheet, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            string[] words = parsed.GetValue(texts) ?? [], files = parsed.GetValue(pictures) ?? [];
            int most = parsed.GetValue(top) ?? DefaultTop;
            if (words.Length + files.Length == 0) throw new ArgumentException("nothing to search for: give --text or --picture");
            if (most < 1) throw new ArgumentException($"--top: expected at least 1, found {most}");
            if (parsed.GetValue(sheet) is { } target) CheckSheet(target, words.Length + files.Length, most);
            using var backend = common.Open(parsed);
            using var embedder = Terminal.While("loading the model", () => EmbeddingModels.Open(ModelCatalog.Resolve(parsed.GetValue(model)!), backend));
            foreach (string note in embedder.Notes) Terminal.Note(note);
            using var session = new Session(backend);
            if (parsed.GetValue(from) is { Length: > 0 } sources) Add(embedder, session, parsed.GetValue(index)!, sources);
            using var opened = EmbeddingIndex.Open(parsed.GetValue(index)!, backend);
            if (opened.MissingShards > 0) Terminal.Note(Terminal.Text($"{opened.MissingShards} shards of the index are missing"));
            var hits = opened.Search(session, Embed(embedder, session, words, files), most);
            string[] queries = [.. words, .. files];
            if (parsed.GetValue(common.Json)) WriteJson(queries, words.Length, hits);
            else Print(queries, hits);
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
        if (texts.Length > 0) Copy(embedder.EmbedTexts(session, texts), queries.SliceRows(0, texts.Length));
        if (files.Length > 0) Copy(embedder.EmbedPixels(session, PictureArgument.Prepare(embedder, orient: true, files), files.Length), queries.SliceRows(texts.Length, files.Length));
        float[] values = new float[queries.Shape.Count];
        session.CopyOut<float>(queries, values);
        return values.All(float.IsFinite) ? queries : throw new InvalidDataException("the model gave embeddings that are no finite numbers");

        void Copy(Tensor from, Tensor into) => session.Ops.CopyRows(new CopyRowsArgs(from, into, 1, into.Rows));
    }

    private static string Short(string text) => text.Length > LongestQuery ? $"{text.AsSpan(0, LongestQuery)}…" : text;

    /// <summary>What would keep the sheet from being written, before the work.</summary>
    private static void CheckSheet(string file, int queries, int top)
    {
        if (Directory.Exists(file)) throw new ArgumentException($"--sheet: expected the name of a file, found the folder {file}");
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && !Directory.Exists(folder)) throw new DirectoryNotFoundException($"--sheet: expected a file in a folder that exists, found {file}");
        ContactSheet.RequireRoom(queries, top);
    }

    private static void WriteSheet(string file, EmbeddingIndex index, IReadOnlyList<IReadOnlyList<SearchHit>> hits)
    {
        string parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(index.Folder))) ?? index.Folder;
        var faults = ContactSheet.Write(file, [.. hits.Select(q => q.Select((h, i) => new SheetPicture(i + 1, h.Score, File.Exists(h.Path) ? h.Path : Path.Combine(parent, h.Path))).ToArray())]);
        foreach (string fault in faults) Terminal.Note($"grey on the sheet: {fault}");
    }

    private static void Print(string[] queries, IReadOnlyList<IReadOnlyList<SearchHit>> hits)
    {
        var table = Terminal.Table("query", "rank", "score", "path");
        for (int q = 0; q < queries.Length; q++)
        {
            for (int i = 0; i < hits[q].Count; i++) table.AddRow(Terminal.Cell(i == 0 ? queries[q] : "", LongestQuery), Terminal.Text($"{i + 1,4}"), Terminal.Text($"{hits[q][i].Score,7:F4}"), Terminal.Cell(hits[q][i].Path));
        }
        Terminal.Print(table);
    }

    private static void WriteJson(string[] queries, int texts, IReadOnlyList<IReadOnlyList<SearchHit>> hits)
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
                        w.WriteString("path", hits[query][i].Path);
                        w.WriteEndObject();
                    }
                    w.WriteEndArray();
                    w.WriteEndObject();
                },
                indented: false);
        }
    }
}
