using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate itm</c>: how well a model tells right captions from wrong ones.</summary>
internal static class EvaluateMatchCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var file = EvaluateCommand.AnnotationsFile();
        var model = CommonOptions.Model(ModelCatalog.Matcher);
        var command = new Command("itm", "Right caption against wrong caption by matching (ITM) and by cosine (ITC), beside what the model says without seeing the pictures.") { file, model, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var annotations = Annotations.Read(parsed.GetValue(file)!);
            using var backend = common.Open(parsed);
            using var blip = Terminal.While("loading the model", () => BlipMatchRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model) ?? ModelCatalog.Matcher), backend));
            using var session = new Session(backend);
            var result = Terminal.Track("matching", annotations.Captioned.Count(p => p.WrongCaption is not null), report => MatchEvaluation.Run(blip, session, annotations, report));
            if (parsed.GetValue(common.Json)) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result);
            return 0;
        }));
        return command;
    }

    private static void Print(MatchEvaluation result)
    {
        int count = result.Scores.Right.Count;
        var table = Terminal.Table(Terminal.Text($"{count} pictures"), "of the pictures", "of a grey picture");
        Add("right caption beats wrong one (ITM)", r => r.Won, count);
        Add("on the right side of one half (ITM)", r => r.RightAtHalf, 2 * count);
        Add("right caption beats wrong one (ITC)", r => r.CosineWon, count);
        foreach (var (kind, part) in result.Scores.ByKind) Add($"ITM, {kind}", r => r.ByKind[kind].Won, part.Count);
        Terminal.Print(table);

        void Add(string name, Func<MatchScores, int> value, int all)
            => table.AddRow(Terminal.Cell(name), Terminal.Text($"{EvaluateCommand.Percent(value(result.Scores), all):F1} %"), Terminal.Text($"{EvaluateCommand.Percent(value(result.Blind), all):F1} %"));
    }

    private static void Write(Utf8JsonWriter w, MatchEvaluation result)
    {
        w.WriteStartObject();
        w.WriteNumber("count", result.Scores.Right.Count);
        WriteScores(w, result.Scores);
        w.WriteStartObject("blind");
        WriteScores(w, result.Blind);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteScores(Utf8JsonWriter w, MatchScores r)
    {
        int count = r.Right.Count;
        w.WriteNumber("itm_caption_beats_wrong_percent", EvaluateCommand.Percent(r.Won, count));
        w.WriteNumber("itm_accuracy_at_half_percent", EvaluateCommand.Percent(r.RightAtHalf, 2 * count));
        w.WriteNumber("itc_caption_beats_wrong_percent", EvaluateCommand.Percent(r.CosineWon, count));
        EvaluateJson.Parts(w, "by_kind", r.ByKind);
        EvaluateJson.Numbers(w, "itm_probability_caption", r.Right.Select(s => s.Probability));
        EvaluateJson.Numbers(w, "itm_probability_wrong", r.Wrong.Select(s => s.Probability));
        EvaluateJson.Numbers(w, "itc_cosine_caption", r.Right.Select(s => s.Cosine));
        EvaluateJson.Numbers(w, "itc_cosine_wrong", r.Wrong.Select(s => s.Cosine));
    }
}
