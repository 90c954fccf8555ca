using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate vqa</c>: a model's answers against annotations.</summary>
internal static class EvaluateVqaCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var file = EvaluateCommand.AnnotationsFile();
        var model = CommonOptions.Model(ModelCatalog.Answerer);
        var command = new Command("vqa", "Answers questions: accuracy, beside that of answers given without seeing the pictures.") { file, model, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var annotations = Annotations.Read(parsed.GetValue(file)!);
            using var backend = common.Open(parsed);
            using var blip = Terminal.While("loading the model", () => BlipAnswerRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model) ?? ModelCatalog.Answerer), backend));
            using var session = new Session(backend);
            var result = Terminal.Track("answering", annotations.Pictures.Count(p => p.Questions.Count > 0), report => VqaEvaluation.Run(blip, session, annotations, report));
            if (parsed.GetValue(common.Json)) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result);
            return 0;
        }));
        return command;
    }

    private static void Print(VqaEvaluation result)
    {
        var table = Terminal.Table("questions", "number", "right", "right for a grey picture");
        int all = result.Scores.Answers.Count;
        table.AddRow("all", Terminal.Text($"{all}"), Share(result.Scores.Right, all), Share(result.Blind.Right, all));
        foreach (var (kind, (right, count)) in result.Scores.ByKind) table.AddRow(Terminal.Cell(kind), Terminal.Text($"{count}"), Share(right, count), Share(result.Blind.ByKind[kind].Right, count));
        Terminal.Print(table);
    }

    private static string Share(int right, int count) => Terminal.Text($"{EvaluateCommand.Percent(right, count):F1} %");

    private static void Write(Utf8JsonWriter w, VqaEvaluation result)
    {
        w.WriteStartObject();
        w.WriteString("accuracy_rule", VqaEvaluation.AccuracyRule);
        w.WriteNumber("count", result.Scores.Answers.Count);
        WriteScores(w, result.Scores);
        w.WriteStartObject("blind");
        WriteScores(w, result.Blind);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void WriteScores(Utf8JsonWriter w, AnswerScores r)
    {
        w.WriteNumber("accuracy_percent", EvaluateCommand.Percent(r.Right, r.Answers.Count));
        EvaluateJson.Parts(w, "by_kind", r.ByKind);
        EvaluateJson.Texts(w, "answers_in_annotation_order", r.Answers);
    }
}
