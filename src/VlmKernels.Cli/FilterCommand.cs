using System.CommandLine;
using System.Text.Json;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm filter</c>: keeps of pictures' texts those that fit.</summary>
internal static class FilterCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var annotations = new Argument<string>("annotations") { Description = "JSON lines {image, caption} or {image, captions}, with paths relative to the file; or another file of annotations that vlm evaluate reads." };
        var output = new Option<string>("--output", "-o") { Description = "Writes the texts that fit to this file, one JSON object a picture, and goes on where an earlier run ended.", Required = true };
        var model = CommonOptions.Model(ModelCatalog.Matcher);
        var threshold = CommonOptions.Fraction("--threshold", FormattableString.Invariant($"A text is kept when the probability of a match is above it, from 0 to 1; by default {CaptionFilter.DefaultThreshold}."));
        var captioner = new Option<string?>("--caption-model") { Description = $"Has a caption drawn for each picture (top-p {FormattableString.Invariant($"{CaptionFilter.TopP}")}), which is kept if it fits: by the model given here, or by {ModelCatalog.Captioner}.", HelpName = "model", Arity = ArgumentArity.ZeroOrOne };
        var seed = CommonOptions.Number("--seed", "With --caption-model: another seed draws other captions; by default 0.");
        var overwrite = new Option<bool>("--overwrite") { Description = "Starts anew instead of going on where an earlier run ended." };
        var asStored = CommonOptions.AsStored();
        var command = new Command("filter", "Keeps of pictures' texts those that fit, and of captions written for them (BLIP's CapFilt).") { annotations, output, model, threshold, captioner, seed, overwrite, asStored };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            bool writes = parsed.GetResult(captioner) is not null;
            float least = parsed.GetValue(threshold) ?? CaptionFilter.DefaultThreshold;
            int drawn = parsed.GetValue(seed) ?? 0;
            if (least is < 0 or > 1) throw new ArgumentException(Terminal.Text($"--threshold: expected 0 to 1, found {least}"));
            if (drawn < 0) throw new ArgumentException(Terminal.Text($"--seed: expected at least 0, found {drawn}"));
            if (parsed.GetValue(seed) is not null && !writes) throw new ArgumentException("--seed: belongs to --caption-model");
            string source = Terminal.ExpectFile(parsed.GetValue(annotations)!, "a file of annotations"), file = parsed.GetValue(output)!;
            var pictures = Annotations.Read(source).Captioned;
            if (pictures.Count == 0) throw new InvalidDataException($"{source}: expected pictures with captions, found none");
            using var backend = common.Open(parsed);
            using var matcher = Terminal.While("loading the model", () => BlipMatchRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(model)!), backend));
            using var writer = writes ? Terminal.While("loading the captioner", () => BlipCaptionRuntime.Open(ModelCatalog.Resolve(parsed.GetValue(captioner) ?? ModelCatalog.Captioner), backend)) : null;
            foreach (string note in matcher.Notes.Concat(writer?.Notes ?? [])) Terminal.Note(note);
            using var session = new Session(backend);
            var filter = new CaptionFilter(matcher, session) { Threshold = least, Captioner = writer, Seed = (ulong)drawn, Orient = !parsed.GetValue(asStored) };
            int kept = 0, judged = 0;
            using var lines = LinesFile.Open(file, [.. pictures.Select(p => p.Image)], filter.Settings(pictures), parsed.GetValue(overwrite), Count);
            int code = LinesOutput.Save(lines, file, pictures.Count, "filtering", (first, cancel) => filter.Of(pictures, first, cancel), (p, json) => p.WriteTo(json));
            if (lines.Done == pictures.Count) Terminal.Line(Terminal.Text($"{kept} of {judged} texts fit"));
            return code;

            void Count(int number, JsonElement line)
            {
                if (!line.TryGetProperty("texts", out var texts)) return;
                (kept, judged) = (kept + texts.GetArrayLength(), judged + pictures[number].Captions.Count + (writes ? 1 : 0));
            }
        }));
        return command;
    }
}
