using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate pairs</c>: right captions against wrong ones, by cosine or by how likely a model would have written them.</summary>
internal static class EvaluatePairsCommand
{
    private const string Cosine = "cosine", Generative = "generative";

    public static Command Create()
    {
        var common = new CommonOptions();
        var file = EvaluateCommand.AnnotationsFile();
        var model = CommonOptions.ChosenModel($"{ModelCatalog.Default}, with --scorer {Generative} {ModelCatalog.Captioner}");
        var scorer = new Option<string>("--scorer")
        {
            Description = $"{Cosine}: of the embeddings of a CLIP model. {Generative}: log P(text | picture) - a log P(text | grey picture) of a BLIP model that writes captions, for a = 0, 0.1 ... 1.",
            DefaultValueFactory = _ => Cosine,
        };
        var command = new Command("pairs", "Right caption against wrong caption, and Winoground's text, image and group scores.") { file, model, scorer, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            string by = parsed.GetValue(scorer)!;
            if (by is not (Cosine or Generative)) throw new ArgumentException($"--scorer: expected {Cosine} or {Generative}, found {by}");
            var annotations = Annotations.Read(parsed.GetValue(file)!);
            string path = ModelCatalog.Resolve(parsed.GetValue(model) ?? (by == Cosine ? ModelCatalog.Default : ModelCatalog.Captioner));
            using var backend = common.Open(parsed);
            using var session = new Session(backend);
            bool json = parsed.GetValue(common.Json);
            if (by == Cosine)
            {
                using var clip = Terminal.While("loading the model", () => ClipRuntime.Open(path, backend));
                var result = Terminal.While("embedding pictures and captions", () => PairsEvaluation.Run(clip, session, annotations));
                if (json) Terminal.Json(w => Write(w, result), indented: true);
                else Print(result);
            }
            else
            {
                using var blip = Terminal.While("loading the model", () => BlipCaptionRuntime.Open(path, backend));
                var result = Terminal.While("judging captions", () => GenerativePairs.Run(blip, session, annotations));
                if (json) Terminal.Json(w => Write(w, result), indented: true);
                else Print(result);
            }
            return 0;
        }));
        return command;
    }

    private static void Print(PairsEvaluation r)
    {
        if (r.Count > 0) Terminal.Line(Terminal.Text($"the right caption beats the wrong one for {r.Won} of {r.Count} pictures: {EvaluateCommand.Percent(r.Won, r.Count):F1} %"));
        foreach (var (kind, (won, count)) in r.ByKind) Terminal.Line(Terminal.Text($"  {kind}: {won} of {count}"));
        if (r.Winoground is { } w) Terminal.Line(Terminal.Text($"Winoground, {w.Count} pairs: text {w.Text:F1} %, image {w.Image:F1} %, group {w.Group:F1} %"));
    }

    private static void Print(GenerativePairs all)
    {
        var first = all.ByAlpha[0].Result;
        string[] kinds = [.. first.ByKind.Keys];
        Terminal.Line("log P(text | picture) - a log P(text | grey picture):");
        List<string> columns = ["a"];
        if (first.Count > 0) columns.Add("right beats wrong");
        columns.AddRange(kinds);
        if (first.Winoground is not null) columns.AddRange(["text", "image", "group"]);
        var table = Terminal.Table([.. columns]);
        foreach (var (alpha, r) in all.ByAlpha) Add(Terminal.Text($"{alpha:F1}"), r);
        Add("grey picture alone", all.Blind);
        Terminal.Print(table);

        void Add(string name, PairsEvaluation r)
        {
            List<string> row = [name];
            if (r.Count > 0) row.Add(Terminal.Text($"{r.Won} of {r.Count}, {EvaluateCommand.Percent(r.Won, r.Count):F1} %"));
            row.AddRange(kinds.Select(k => Terminal.Text($"{r.ByKind[k].Won} of {r.ByKind[k].Count}")));
            if (r.Winoground is { } w) row.AddRange([Terminal.Text($"{w.Text:F1} %"), Terminal.Text($"{w.Image:F1} %"), Terminal.Text($"{w.Group:F1} %")]);
            table.AddRow([.. row]);
        }
    }

    private static void Write(Utf8JsonWriter w, PairsEvaluation r)
    {
        w.WriteStartObject();
        WriteScores(w, r);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, GenerativePairs all)
    {
        w.WriteStartObject();
        w.WriteStartArray("by_alpha");
        foreach (var (alpha, r) in all.ByAlpha)
        {
            w.WriteStartObject();
            w.WriteNumber("alpha", alpha);
            WriteScores(w, r);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteStartObject("blind");
        WriteScores(w, all.Blind);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteScores(Utf8JsonWriter w, PairsEvaluation r)
    {
        w.WriteStartObject("scenes");
        w.WriteNumber("caption_beats_wrong_caption_percent", EvaluateCommand.Percent(r.Won, r.Count));
        EvaluateJson.Parts(w, "by_kind", r.ByKind);
        w.WriteEndObject();
        if (r.Winoground is not { } scores) return;
        w.WriteStartObject("winoground");
        w.WriteNumber("text", scores.Text);
        w.WriteNumber("image", scores.Image);
        w.WriteNumber("group", scores.Group);
        w.WriteEndObject();
    }
}
