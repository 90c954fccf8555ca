using System.CommandLine;
using Spectre.Console;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm classify</c>: which of the given labels fits a picture.</summary>
internal static class ClassifyCommand
{
    private const int PicturesAtOnce = 16, TopOfTable = 5, LongestLabel = 60;

    public static Command Create()
    {
        var common = new CommonOptions();
        var images = CommonOptions.Paths("image", "Pictures: JPEG, PNG, WebP, GIF or BMP.");
        var model = CommonOptions.Model();
        var labels = new Option<string[]>("--labels", "-l") { Description = "Labels to choose from, separated by blanks, up to the next option; pictures come before it.", AllowMultipleArgumentsPerToken = true };
        labels.Validators.Add(CommonOptions.RefuseOptions);
        var labelsFile = new Option<string?>("--labels-file") { Description = "A text file with one label per line." };
        var templates = new Option<string[]>("--template") { Description = $"Text in which {{}} stands for the label; may be given several times. Default: \"{ZeroShotClassifier.DefaultTemplate}\"." };
        var top = CommonOptions.Number("--top", $"How many labels to print for each picture; by default {TopOfTable}, and all of them with --json.");
        var asStored = CommonOptions.AsStored("; the published pipelines of OpenAI and open_clip don't");
        var command = new Command("classify", "Says which label fits a picture best (zero-shot, CLIP).") { images, model, labels, labelsFile, templates, top, asStored, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            bool json = parsed.GetValue(common.Json);
            int shown = parsed.GetValue(top) ?? (json ? int.MaxValue : TopOfTable);
            if (shown < 1) throw new ArgumentException($"--top: expected at least 1, found {shown}");
            string[] choices = Labels(parsed.GetValue(labels) ?? [], parsed.GetValue(labelsFile));
            using var backend = common.Open(parsed);
            using var clip = CommonOptions.Load(parsed.GetValue(model)!, path => ClipRuntime.Open(path, backend));
            using var session = new Session(backend);
            var classifier = Terminal.While("embedding the labels", () => new ZeroShotClassifier(clip, session, choices, parsed.GetValue(templates)));
            if (classifier.CutLabels.Count > 0) Terminal.Note($"too long for the model, which does not see their ends: {string.Join(", ", classifier.CutLabels.Select(Short))}");
            int atOnce = Math.Min(PicturesAtOnce, clip.PicturesAtOnce);
            var run = new Run(clip, session, classifier, shown, json, !parsed.GetValue(asStored), atOnce);
            Terminal.ForEach("classifying", [.. parsed.GetValue(images)!.Chunk(atOnce)], json, run.Classify);
            return run.Finish();
        }));
        return command;
    }

    private static string Short(string label) => label.Length > LongestLabel ? $"{label.AsSpan(0, LongestLabel)}…" : label;

    private static string[] Labels(string[] given, string? file)
    {
        string[] all = [.. given, .. file is null ? [] : CommonOptions.ReadLabels(file)];
        if (all.Length == 0) throw new ArgumentException("no labels: give --labels or --labels-file");
        // Twice the same label would share its probability, and lists of class names do hold some twice.
        string[] twice = [.. all.GroupBy(l => l).Where(g => g.Count() > 1).Select(g => g.Key)];
        if (twice.Length > 0) Terminal.Note($"given more than once and used once: {string.Join(", ", twice)}");
        return [.. all.Distinct()];
    }

    private sealed class Run(ClipRuntime clip, Session session, ZeroShotClassifier classifier, int top, bool json, bool orient, int atOnce)
    {
        private readonly SkiaImageDecoder _decoder = new();
        private readonly Table _table = Terminal.Table("picture", "label", "probability", "");
        private readonly byte[] _pixels = new byte[atOnce * clip.PixelBytes];
        private bool _failed;

        public void Classify(string[] files)
        {
            // Only what the model takes is kept of a picture: sixteen photos in full would be gigabytes.
            var ready = new List<string>();
            foreach (string file in files)
            {
                if (Prepare(file, _pixels.AsSpan(ready.Count * clip.PixelBytes, clip.PixelBytes))) ready.Add(file);
            }
            if (ready.Count == 0) return;
            var results = classifier.Classify(session, _pixels.AsSpan(0, ready.Count * clip.PixelBytes), ready.Count, top);
            for (int i = 0; i < ready.Count; i++) Show(ready[i], results[i]);
        }

        public int Finish()
        {
            if (!json && _table.Rows.Count > 0) Terminal.Print(_table);
            return _failed ? Terminal.Failure : 0;
        }

        private bool Prepare(string file, Span<byte> pixels)
        {
            try
            {
                clip.Prepare(_decoder.DecodeNativeFile(Terminal.ExpectFile(file, "a picture"), clip.Pipeline.DecodeOptions(orient)), pixels);
                return true;
            }
            catch (Exception e) when (Terminal.IsInputFault(e))
            {
                // One bad picture does not cost the answers of the others.
                Terminal.Error(Terminal.Describe(e));
                _failed = true;
                return false;
            }
        }

        private void Show(string file, IReadOnlyList<LabelProbability> labels)
        {
            if (labels.Any(l => !float.IsFinite(l.Probability)))
            {
                Terminal.Error($"{file}: the model gave probabilities that are no finite numbers");
                _failed = true;
                return;
            }
            if (json)
            {
                WriteJson(file, labels);
                return;
            }
            for (int i = 0; i < labels.Count; i++)
            {
                _table.AddRow(Terminal.Cell(i == 0 ? file : ""), Terminal.Cell(labels[i].Label, LongestLabel), Terminal.Text($"{100 * labels[i].Probability,8:F4} %"), new string('█', (int)MathF.Round(20 * labels[i].Probability)));
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
