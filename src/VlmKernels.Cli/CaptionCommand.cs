using System.CommandLine;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm caption</c>: says what pictures show.</summary>
internal static class CaptionCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var writing = new WritingArguments();
        var images = CommonOptions.Paths("image", "Pictures: files, folders, quoted patterns such as 'photos/**/*.jpg', or - for a list on standard input, one path a line.");
        var model = CommonOptions.Model(ModelCatalog.Captioner);
        var prompt = new Option<string?>("--prompt") { Description = "What every caption begins with." };
        var output = new Option<string?>("--output", "-o") { Description = "Writes the captions to this file, one JSON object a line, and goes on where an earlier run ended." };
        var overwrite = new Option<bool>("--overwrite") { Description = "With --output: starts anew instead of going on where an earlier run ended." };
        var asStored = CommonOptions.AsStored();
        var command = new Command("caption", "Says what pictures show (BLIP).") { images, model, prompt, output, overwrite, asStored, common.Json };
        writing.AddTo(command);
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var options = writing.Read(parsed);
            if (parsed.GetValue(overwrite) && parsed.GetValue(output) is null) throw new ArgumentException("--overwrite: belongs to --output");
            bool json = parsed.GetValue(common.Json);
            if (json && parsed.GetValue(output) is not null) throw new ArgumentException("--json: the file of --output holds JSON in any case");
            var files = EmbedInputs.Pictures(parsed.GetValue(images)!, Console.In);
            using var backend = common.Open(parsed);
            using var blip = CommonOptions.Load(parsed.GetValue(model)!, path => BlipCaptionRuntime.Open(path, backend));
            using var session = new Session(backend);
            // Words appear as they are written where somebody looks on, and where there is no more than one text at a time.
            var stream = files.Count == 1 && options.Count == 1 && !json && parsed.GetValue(output) is null && !Console.IsOutputRedirected ? new TextStream(blip.Text, Terminal.Part, parsed.GetValue(prompt)) : null;
            var captioning = new Captioning(blip, session) { Options = options, Prompt = parsed.GetValue(prompt), Orient = !parsed.GetValue(asStored), OnToken = stream is null ? null : stream.Add };
            captioning.Check();
            if (parsed.GetValue(output) is { } file)
            {
                using var lines = LinesFile.Open(file, files, captioning.Settings(), parsed.GetValue(overwrite));
                return LinesOutput.Save(lines, file, files.Count, "captioning", (first, cancel) => captioning.Of(files, first, cancel), (c, json) => c.WriteTo(json));
            }
            try
            {
                return Terminal.Cancellable(cancel => Print(captioning, files, json, stream, cancel));
            }
            catch (OperationCanceledException) when (stream?.Shown.Length > 0)
            {
                // What is said about it does not stand behind half a caption.
                Terminal.Line("");
                throw;
            }
        }));
        return command;
    }

    private static int Print(Captioning captioning, IReadOnlyList<string> files, bool json, TextStream? stream, CancellationToken cancel)
    {
        int failed = 0;
        foreach (var captions in captioning.Of(files, 0, cancel).SelectMany(b => b))
        {
            if (captions.Error is { } error)
            {
                Terminal.Error(Terminal.Name(error));
                failed++;
            }
            else if (json) Terminal.Json(captions.WriteTo, indented: false);
            else
            {
                if (stream?.Shown.Length > 0) Terminal.Line("");
                if (stream is null || stream.Shown != captions.Captions[0].Text) Print(captions, files.Count > 1);
            }
        }
        return failed > 0 ? Terminal.Failure : 0;
    }

    private static void Print(PictureCaptions captions, bool withName)
    {
        foreach (var caption in captions.Captions)
        {
            string score = caption.Score is { } s && captions.Captions.Count > 1 ? Terminal.Text($"{s,8:F4}  ") : "";
            Terminal.Line($"{(withName ? Terminal.Name(captions.File) + ": " : "")}{score}{caption.Text}");
        }
    }
}
