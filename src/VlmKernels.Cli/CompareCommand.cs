using System.CommandLine;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm compare</c>: whether a statement about two pictures is true.</summary>
internal static class CompareCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var left = new Argument<string>("left") { Description = "The left picture." };
        var right = new Argument<string>("right") { Description = "The right picture." };
        var statement = new Argument<string>("statement") { Description = "What may be true of the two." };
        var model = new Option<string>("--model", "-m") { Description = $"Path of a BLIP checkpoint trained on NLVR2, or its name in {ModelCatalog.Variable} or models/; none ships.", Required = true };
        var asStored = CommonOptions.AsStored();
        var command = new Command("compare", "Says whether a statement about two pictures is true (BLIP, NLVR2).") { left, right, statement, model, asStored, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            using var backend = common.Open(parsed);
            using var blip = CommonOptions.Load(parsed.GetValue(model)!, path => BlipCompareRuntime.Open(path, backend));
            using var session = new Session(backend);
            byte[] pixels = PictureArgument.Prepare(blip, !parsed.GetValue(asStored), parsed.GetValue(left)!, parsed.GetValue(right)!);
            float probability = blip.Judge(session, pixels, [parsed.GetValue(statement)!])[0];
            if (!float.IsFinite(probability)) throw new InvalidDataException("the model gave a probability that is no finite number");
            if (!parsed.GetValue(common.Json)) Terminal.Line(Terminal.Text($"{(probability > 0.5f ? "true" : "false")}  {100 * probability:F4} %"));
            else
            {
                Terminal.Json(
                    w =>
                    {
                        w.WriteStartObject();
                        w.WriteBoolean("is_true", probability > 0.5f);
                        w.WriteNumber("probability", probability);
                        w.WriteEndObject();
                    },
                    indented: false);
            }
            return 0;
        }));
        return command;
    }
}
