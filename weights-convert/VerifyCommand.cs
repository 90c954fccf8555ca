using System.CommandLine;
using VlmKernels.Cli;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary><c>vlm-convert verify SOURCE RESULT</c>: whether a result holds what its source does.</summary>
internal static class VerifyCommand
{
    private const int MostShown = 10, BytesPerStep = 1 << 20;

    public static Command Create()
    {
        var options = new ConvertOptions();
        var source = new Argument<string>("source") { Description = "What was converted." };
        var result = new Argument<string>("result") { Description = "What it became: a file, an index of shards, or a folder." };
        var tolerance = new Option<double>("--tolerance") { Description = "Where the type differs, |a - b| may be this share of max(1, |a|); by default values must be rounded to nearest even." };
        var command = new Command("verify", "Compares a result with its source: names, shapes, and bits or, where the type differs, values.") { source, result, options.Renames, options.Layout, tolerance };
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            if (!(parsed.GetValue(tolerance) >= 0)) throw new ArgumentException(Terminal.Text($"--tolerance: expected a number from 0, found {parsed.GetValue(tolerance)}"));
            using var conversion = Conversion.Open(parsed.GetValue(source)!, options.Of(parsed, withDType: false));
            using var found = Checkpoint.Open(parsed.GetValue(result)!);
            return Compare(conversion, found, parsed.GetValue(tolerance));
        }));
        return command;
    }

    private static int Compare(Conversion conversion, Checkpoint result, double tolerance)
    {
        string[] differences = Terminal.Track("comparing", (int)(conversion.ByteLength / BytesPerStep), report =>
        {
            long done = 0;
            return new Comparison(conversion, result, tolerance).Differences(bytes => report((int)((done += bytes) / BytesPerStep))).Take(MostShown + 1).ToArray();
        }, "MiB");
        foreach (string difference in differences.Take(MostShown)) Terminal.Error($"{result.Path}: {difference}");
        if (differences.Length > MostShown) Terminal.Error(Terminal.Text($"{result.Path}: more differences than these {MostShown}"));
        if (differences.Length > 0) return Terminal.Failure;
        Terminal.Line(Terminal.Text($"{result.Path}: {conversion.Tensors.Count} tensors as in {conversion.Checkpoint.Path}"));
        return 0;
    }
}
