using System.CommandLine;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm ask</c>: answers a question about a picture.</summary>
internal static class AskCommand
{
    private const int TopOfTable = 10;

    public static Command Create()
    {
        var common = new CommonOptions();
        var writing = new WritingArguments();
        var image = new Argument<string>("image") { Description = "A picture: JPEG, PNG, WebP, GIF or BMP." };
        var question = new Argument<string>("question") { Description = "What to ask about it." };
        var model = CommonOptions.Model(ModelCatalog.Answerer);
        var answers = new Option<string[]>("--answers") { Description = "Answers to rank instead of writing one, separated by blanks, up to the next option.", AllowMultipleArgumentsPerToken = true };
        answers.Validators.Add(CommonOptions.RefuseOptions);
        var answersFile = new Option<string?>("--answers-file") { Description = "A text file with one answer to rank per line." };
        var asStored = CommonOptions.AsStored();
        var command = new Command("ask", "Answers a question about a picture (BLIP).") { image, question, model, answers, answersFile, asStored, common.Json };
        writing.AddTo(command);
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            string[] given = [.. parsed.GetValue(answers) ?? [], .. parsed.GetValue(answersFile) is { } file ? CommonOptions.ReadLabels(file) : []];
            var options = writing.Read(parsed);
            if (given.Length > 0 && options != new WritingOptions { Stops = options.Stops }) throw new ArgumentException("--answers: given answers are ranked, not written; options of writing do not go with them");
            using var backend = common.Open(parsed);
            using var blip = CommonOptions.Load(parsed.GetValue(model)!, path => BlipAnswerRuntime.Open(path, backend));
            using var session = new Session(backend);
            byte[] pixels = PictureArgument.Prepare(blip, !parsed.GetValue(asStored), parsed.GetValue(image)!);
            string[] questions = [parsed.GetValue(question)!];
            (string Text, float? Score)[] found = given.Length > 0
                ? [.. blip.RankAnswers(session, pixels, 1, questions, [.. given.Distinct()])[0].Select(a => (a.Answer, (float?)a.Score))]
                : [.. blip.Answer(session, pixels, 1, questions, options)[0].Select(a => (a.Text, a.Score))];
            if (found.Any(f => f.Score is { } s && !float.IsFinite(s))) throw new InvalidDataException("the model gave scores that are no finite numbers");
            if (parsed.GetValue(common.Json)) WriteJson(parsed.GetValue(image)!, questions[0], found);
            else Print(found);
            return 0;
        }));
        return command;
    }

    private static void Print((string Text, float? Score)[] answers)
    {
        foreach (var (text, score) in answers.Take(TopOfTable)) Terminal.Line(score is { } s && answers.Length > 1 ? Terminal.Text($"{s,8:F4}  {text}") : text);
    }

    private static void WriteJson(string file, string question, (string Text, float? Score)[] answers) => Terminal.Json(
        w =>
        {
            w.WriteStartObject();
            w.WriteString("file", file);
            w.WriteString("question", question);
            w.WriteString("answer", answers[0].Text);
            w.WriteStartArray("answers");
            foreach (var (text, score) in answers)
            {
                w.WriteStartObject();
                w.WriteString("answer", text);
                if (score is { } s) w.WriteNumber("score", s);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        },
        indented: false);
}
