using System.CommandLine;
using Spectre.Console;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm classify</c>: which of the given labels fits a picture.</summary>
internal static class ClassifyCommand
{
    private const int PicturesAtOnce = 16;

    public static Command Create()
    {
        var common = new CommonOptions();
        var images = CommonOptions.Paths("image", "Pictures: JPEG, PNG, WebP, GIF or BMP.");
        var model = CommonOptions.Model();
        var labels = new Option<string[]>("--labels", "-l") { Description = "Labels to choose from, separated by blanks, up to the next option; pictures come before it.", AllowMultipleArgumentsPerToken = true };
        labels.Validators.Add(CommonOptions.RefuseOptions);
        var labelsFile = new Option<string?>("--labels-file") { Description = "A text file with one label per line." };
        var templates = new Option<string[]>("--template") { Description = $"Text in which {{}} stands for the label; may be given several times. Default: \"{ZeroShotClassifier.DefaultTemplate}\"." };
        var top = new Option<int>("--top") { Description = "How many labels to print for each picture.", DefaultValueFactory = _ => 5 };
        var asStored = new Option<bool>("--as-stored") { Description = "Does not turn photos as their EXIF orientation says; the published pipelines of OpenAI and open_clip don't." };
        var command = new Command("classify", "Says which label fits a picture best (zero-shot, CLIP).") { images, model, labels, labelsFile, templates, top, asStored, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            if (parsed.GetValue(top) < 1) throw new ArgumentException($"--top: expected at least 1, found {parsed.GetValue(top)}");
            string[] choices = Labels(parsed.GetValue(labels) ?? [], parsed.GetValue(labelsFile));
            using var backend = common.Open(parsed);
            using var clip = Terminal.While("loading the model", () => ClipRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model)!), backend));
            foreach (string note in clip.Notes) Terminal.Note(note);
            using var session = new Session(backend);
            var classifier = Terminal.While("embedding the labels", () => new ZeroShotClassifier(clip, session, choices, parsed.GetValue(templates)));
            var run = new Run(clip, session, classifier, parsed.GetValue(top), parsed.GetValue(common.Json), !parsed.GetValue(asStored));
            Terminal.ForEach("classifying", [.. parsed.GetValue(images)!.Chunk(PicturesAtOnce)], parsed.GetValue(common.Json), run.Classify);
            return run.Finish();
        }));
        return command;
    }

    private static string[] Labels(string[] given, string? file)
    {
        string[] all = [.. given, .. file is null ? [] : File.ReadLines(Terminal.ExpectFile(file, "a text file of labels")).Select(l => l.Trim()).Where(l => l.Length > 0)];
        if (all.Length == 0) throw new ArgumentException("no labels: give --labels or --labels-file");
        // Twice the same label would share its probability, and lists of class names do hold some twice.
        string[] twice = [.. all.GroupBy(l => l).Where(g => g.Count() > 1).Select(g => g.Key)];
        if (twice.Length > 0) Terminal.Note($"given more than once and used once: {string.Join(", ", twice)}");
        return [.. all.Distinct()];
    }

    private sealed class Run(ClipRuntime clip, Session session, ZeroShotClassifier classifier, int top, bool json, bool orient)
    {
        private readonly SkiaImageDecoder _decoder = new();
        private readonly Table _table = Terminal.Table("picture", "label", "probability", "");
        private bool _failed;

        public void Classify(string[] files)
        {
            var pictures = new List<(string File, NativeImage Image)>();
            foreach (string file in files)
            {
                if (Decode(file) is { } image) pictures.Add((file, image));
            }
            if (pictures.Count == 0) return;
            var results = classifier.Classify(session, [.. pictures.Select(p => p.Image)], top);
            for (int i = 0; i < pictures.Count; i++) Show(pictures[i].File, results[i]);
        }

        public int Finish()
        {
            if (!json && _table.Rows.Count > 0) Terminal.Print(_table);
            return _failed ? Terminal.Failure : 0;
        }

        private NativeImage? Decode(string file)
        {
            try
            {
                return _decoder.DecodeNativeFile(Terminal.ExpectFile(file, "a picture"), clip.Pipeline.DecodeOptions(orient));
            }
            catch (Exception e) when (Terminal.IsInputFault(e))
            {
                // One bad picture does not cost the answers of the others.
                Terminal.Error(Terminal.Describe(e));
                _failed = true;
                return null;
            }
        }

        private void Show(string file, IReadOnlyList<LabelProbability> labels)
        {
            if (json)
            {
                WriteJson(file, labels);
                return;
            }
            for (int i = 0; i < labels.Count; i++)
            {
                _table.AddRow(Markup.Escape(i == 0 ? file : ""), Markup.Escape(labels[i].Label), Terminal.Text($"{100 * labels[i].Probability,8:F4} %"), new string('█', (int)MathF.Round(20 * labels[i].Probability)));
            }
        }

        private static void WriteJson(string file, IReadOnlyList<LabelProbability> labels) => Terminal.Json(
            w =>
            {
                w.WriteStartObject();
                w.WriteString("file", file);
                w.WriteString("label", labels[0].Label);
                w.WriteStartObject("probabilities");
                foreach (var (label, probability) in labels) w.WriteNumber(label, probability);
                w.WriteEndObject();
                w.WriteEndObject();
            },
            indented: false);
    }
}
