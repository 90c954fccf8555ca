using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate</c>: how well a model does on a dataset. JSON uses the keys of the references' <c>expected.json</c>.</summary>
internal static class EvaluateCommand
{
    public static Command Create() => new("evaluate", "Says how well a model does on a dataset.")
    {
        ZeroShot(),
        Captions("retrieval", "Finds captions of pictures and pictures of captions: recall at 1, 5 and 10.", RetrievalEvaluation.Run, Print, Write),
        EvaluatePairsCommand.Create(),
        Captions("clipscore", "Scores captions without references (CLIPScore).", ClipScore.Run, Print, Write),
        EvaluateCaptionCommand.Create(),
        EvaluateVqaCommand.Create(),
        EvaluateMatchCommand.Create(),
        EvaluateEmbeddingsCommand.Create(),
    };

    private static Command ZeroShot()
    {
        var common = new CommonOptions();
        var dataset = new Argument<string>("dataset") { Description = "A folder with one folder of pictures per class, or an IDX file …-images-idx3-ubyte[.gz] with its labels beside it." };
        var model = CommonOptions.Model();
        var labelsFile = new Option<string?>("--labels-file") { Description = "One label per line, in the order of the classes; by default the names of the folders." };
        var templates = new Option<string[]>("--template") { Description = "Text in which {} stands for the label; several are averaged." };
        var predictions = new Option<string?>("--predictions") { Description = "Writes every answer to this file, as JSON lines of index, label and predicted." };
        var command = new Command("zero-shot", "Classifies every picture of a dataset: top-1, top-5 and the confusion matrix.") { dataset, model, labelsFile, templates, predictions, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var pictures = LabelledPictures.Open(parsed.GetValue(dataset)!);
            string[] labels = parsed.GetValue(labelsFile) is { } file ? CommonOptions.ReadLabels(file) : [.. pictures.Names];
            if (labels.Length == 0) throw new ArgumentException("the dataset has no names of classes: give --labels-file");
            using var backend = common.Open(parsed);
            using var clip = Terminal.While("loading the model", () => ClipRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model)!), backend));
            using var session = new Session(backend);
            var result = Terminal.Track("evaluating", pictures.Count, report => ZeroShotEvaluation.Run(clip, session, pictures, labels, parsed.GetValue(templates), report));
            foreach (var (_, reason) in result.Unreadable) Terminal.Error(reason);
            if (parsed.GetValue(predictions) is { } answers) WritePredictions(answers, pictures, result);
            if (parsed.GetValue(common.Json)) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result);
            return result.Unreadable.Count == 0 ? 0 : Terminal.Failure;
        }));
        return command;
    }

    private static Command Captions<T>(string name, string description, Func<ClipRuntime, Session, Annotations, Action<int>?, T> run, Action<T> print, Action<Utf8JsonWriter, T> write)
    {
        var common = new CommonOptions();
        var file = AnnotationsFile();
        var model = CommonOptions.Model();
        var command = new Command(name, description) { file, model, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var annotations = Annotations.Read(parsed.GetValue(file)!);
            using var backend = common.Open(parsed);
            using var clip = Terminal.While("loading the model", () => ClipRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model)!), backend));
            using var session = new Session(backend);
            var result = Terminal.While("embedding pictures and captions", () => run(clip, session, annotations, null));
            if (parsed.GetValue(common.Json)) Terminal.Json(w => write(w, result), indented: true);
            else print(result);
            return 0;
        }));
        return command;
    }

    private static void WritePredictions(string file, LabelledPictures pictures, ZeroShotEvaluation result)
    {
        string unfinished = file + ".tmp";
        using (var writer = new StreamWriter(unfinished))
        {
            for (int i = 0; i < result.Predictions.Count; i++) writer.WriteLine(Terminal.Text($"{{\"index\":{i},\"label\":{pictures.Label(i)},\"predicted\":{result.Predictions[i]}}}"));
        }
        File.Move(unfinished, file, overwrite: true);
    }

    /// <summary>The file that most of these commands take.</summary>
    public static Argument<string> AnnotationsFile() => new("annotations")
    {
        Description = "JSON with \"scenes\", JSON lines of image, captions, wrong_caption, questions, or Winoground's image_0, image_1, caption_0, caption_1.",
    };

    public static double Percent(int part, int all) => all == 0 ? 0 : 100.0 * part / all;

    private static void Print(ZeroShotEvaluation r)
    {
        Terminal.Line(Terminal.Text($"{r.Count} pictures: top-1 {Percent(r.Top1, r.Count):F2} % ({r.Top1}), top-5 {Percent(r.Top5, r.Count):F2} % ({r.Top5})"));
        Terminal.Line("class (rows) against answer (columns):");
        var table = Terminal.Table(["", .. r.Labels]);
        for (int label = 0; label < r.Labels.Count; label++)
        {
            table.AddRow([Terminal.Cell(r.Labels[label]), .. Enumerable.Range(0, r.Labels.Count).Select(p => Terminal.Text($"{r.Confusion[label, p]}"))]);
        }
        Terminal.Print(table);
    }

    private static void Print(RetrievalEvaluation r)
    {
        var table = Terminal.Table("", "R@1", "R@5", "R@10");
        foreach (var (name, recall) in new[] { ("picture to caption", r.ImageToText), ("caption to picture", r.TextToImage) })
        {
            table.AddRow(name, Terminal.Text($"{recall.At1:F1} %"), Terminal.Text($"{recall.At5:F1} %"), Terminal.Text($"{recall.At10:F1} %"));
        }
        Terminal.Print(table);
    }

    private static void Print(ClipScore r) => Terminal.Line(Terminal.Text($"CLIPScore of {r.Scores.Count} pictures: {r.Mean:F4}"));

    private static void Write(Utf8JsonWriter w, ZeroShotEvaluation r)
    {
        w.WriteStartObject();
        w.WriteStartObject("zero_shot");
        w.WriteNumber("count", r.Count);
        w.WriteNumber("top1_correct", r.Top1);
        w.WriteNumber("top1_percent", Percent(r.Top1, r.Count));
        w.WriteNumber("top5_correct", r.Top5);
        w.WriteNumber("top5_percent", Percent(r.Top5, r.Count));
        w.WriteStartArray("labels");
        foreach (string label in r.Labels) w.WriteStringValue(label);
        w.WriteEndArray();
        w.WriteStartArray("confusion");
        for (int label = 0; label < r.Labels.Count; label++)
        {
            w.WriteStartArray();
            for (int p = 0; p < r.Labels.Count; p++) w.WriteNumberValue(r.Confusion[label, p]);
            w.WriteEndArray();
        }
        w.WriteEndArray();
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, RetrievalEvaluation r)
    {
        w.WriteStartObject();
        w.WriteStartObject("scenes");
        Write(w, "image_to_text", r.ImageToText);
        Write(w, "text_to_image", r.TextToImage);
        w.WriteEndObject();
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, string name, Recall recall)
    {
        w.WriteStartObject(name);
        w.WriteNumber("R@1", recall.At1);
        w.WriteNumber("R@5", recall.At5);
        w.WriteNumber("R@10", recall.At10);
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, ClipScore r)
    {
        w.WriteStartObject();
        w.WriteNumber("clipscore", r.Mean);
        w.WriteNumber("count", r.Scores.Count);
        w.WriteEndObject();
    }
}
