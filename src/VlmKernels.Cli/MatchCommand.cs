using System.CommandLine;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm match</c>: how well texts fit a picture.</summary>
internal static class MatchCommand
{
    private const int LongestText = 80;

    public static Command Create()
    {
        var common = new CommonOptions();
        var image = new Argument<string>("image") { Description = "A picture: JPEG, PNG, WebP, GIF or BMP." };
        var texts = CommonOptions.Paths("text", "Texts that may or may not describe it.");
        var model = CommonOptions.Model(ModelCatalog.Matcher);
        var asStored = CommonOptions.AsStored();
        var command = new Command("match", "Says how well texts fit a picture: probability of a match, and cosine (BLIP).") { image, texts, model, asStored, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            using var backend = common.Open(parsed);
            using var blip = CommonOptions.Load(parsed.GetValue(model)!, path => BlipMatchRuntime.Open(path, backend));
            using var session = new Session(backend);
            string[] given = parsed.GetValue(texts)!;
            var scores = blip.Match(session, PictureArgument.Prepare(blip, !parsed.GetValue(asStored), parsed.GetValue(image)!), 1, given);
            if (scores.Any(s => !float.IsFinite(s.Probability) || !float.IsFinite(s.Cosine))) throw new InvalidDataException("the model gave scores that are no finite numbers");
            if (parsed.GetValue(common.Json)) WriteJson(parsed.GetValue(image)!, given, scores);
            else Print(given, scores);
            return 0;
        }));
        return command;
    }

    private static void Print(string[] texts, MatchScore[] scores)
    {
        var table = Terminal.Table("match", "cosine", "text");
        for (int i = 0; i < texts.Length; i++) table.AddRow(Terminal.Text($"{100 * scores[i].Probability,8:F4} %"), Terminal.Text($"{scores[i].Cosine,7:F4}"), Terminal.Cell(texts[i], LongestText));
        Terminal.Print(table);
    }

    private static void WriteJson(string file, string[] texts, MatchScore[] scores)
    {
        for (int i = 0; i < texts.Length; i++)
        {
            var (text, score) = (texts[i], scores[i]);
            Terminal.Json(
                w =>
                {
                    w.WriteStartObject();
                    w.WriteString("file", file);
                    w.WriteString("text", text);
                    w.WriteNumber("match_probability", score.Probability);
                    w.WriteNumber("cosine", score.Cosine);
                    w.WriteEndObject();
                },
                indented: false);
        }
    }
}
