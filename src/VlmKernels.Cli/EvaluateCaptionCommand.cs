using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate caption</c>: a model's captions against annotations.</summary>
internal static class EvaluateCaptionCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var file = EvaluateCommand.AnnotationsFile();
        var model = CommonOptions.Model(ModelCatalog.Captioner);
        var beams = CommonOptions.Number("--beams", "Beams; 1: the likeliest token, step by step. By default as the model's own implementation does.");
        var command = new Command("caption", "Writes captions: exact match, words found, BLEU-4 and CIDEr-D, beside those of captions written without seeing the pictures.") { file, model, beams, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            if (parsed.GetValue(beams) is < 1 and var few) throw new ArgumentException($"--beams: expected at least 1, found {few}");
            var annotations = Annotations.Read(parsed.GetValue(file)!);
            using var backend = common.Open(parsed);
            using var blip = Terminal.While("loading the model", () => BlipCaptionRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model) ?? ModelCatalog.Captioner), backend));
            using var session = new Session(backend);
            var result = Terminal.Track("captioning", annotations.Captioned.Count, report => CaptionEvaluation.Run(blip, session, annotations, parsed.GetValue(beams), report));
            if (parsed.GetValue(common.Json)) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result);
            return 0;
        }));
        return command;
    }

    private static void Print(CaptionEvaluation result)
    {
        var table = Terminal.Table(Terminal.Text($"{result.Scores.Captions.Count} captions"), "exact", "words found", "BLEU-4", "CIDEr-D");
        foreach (var (name, r) in new[] { ("of the pictures", result.Scores), ("of a grey picture", result.Blind) })
        {
            table.AddRow(name, Terminal.Text($"{EvaluateCommand.Percent(r.Exact, r.Captions.Count):F1} %"), Terminal.Text($"{r.WordsFound:F1} %"), Terminal.Text($"{100 * r.Bleu4:F1}"), Terminal.Text($"{r.CiderD:F3}"));
        }
        Terminal.Print(table);
        foreach (var (objects, (exact, count)) in result.Scores.ByObjects) Terminal.Line(Terminal.Text($"  {objects} {(objects == 1 ? "object" : "objects")}: {exact} of {count} exact"));
    }

    private static void Write(Utf8JsonWriter w, CaptionEvaluation result)
    {
        w.WriteStartObject();
        w.WriteNumber("count", result.Scores.Captions.Count);
        w.WriteString("exact_match_rule", CaptionEvaluation.ExactMatchRule);
        Write(w, result.Beams == 1 ? "greedy" : string.Create(CultureInfo.InvariantCulture, $"beams_{result.Beams}"), result.Scores);
        Write(w, "blind", result.Blind);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, string name, CaptionScores r)
    {
        w.WriteStartObject(name);
        w.WriteNumber("exact_match_percent", EvaluateCommand.Percent(r.Exact, r.Captions.Count));
        w.WriteNumber("caption_words_found_percent", r.WordsFound);
        w.WriteNumber("bleu_4", r.Bleu4);
        w.WriteNumber("cider_d", r.CiderD);
        EvaluateJson.Parts(w, "by_objects", r.ByObjects);
        EvaluateJson.Texts(w, "captions", r.Captions);
        w.WriteEndObject();
    }
}
