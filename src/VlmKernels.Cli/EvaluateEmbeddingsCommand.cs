using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm evaluate embeddings</c>: a model against published pixels and embeddings.</summary>
internal static class EvaluateEmbeddingsCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var folder = new Argument<string>("folder") { Description = "Pictures NAME.jpg or texts NAME.txt, each with NAME.pixels.npy or NAME.embedding.npy (or .npy.gz)." };
        var model = CommonOptions.Model();
        var command = new Command("embeddings", "Compares prepared pixels and embeddings with those that a reference implementation stored.") { folder, model, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            string golden = parsed.GetValue(folder)!;
            if (!Directory.Exists(golden)) throw new DirectoryNotFoundException($"{golden}: expected a folder, found {(File.Exists(golden) ? "a file" : "nothing")}");
            using var backend = common.Open(parsed);
            using var clip = CommonOptions.Load(parsed.GetValue(model)!, path => ClipRuntime.Open(path, backend));
            using var session = new Session(backend);
            var result = Terminal.While("comparing", () => GoldenEmbeddings.Run(clip, session, golden));
            if (parsed.GetValue(common.Json)) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result);
            return result.Passed ? 0 : Terminal.Failure;
        }));
        return command;
    }

    private static void Print(GoldenEmbeddings result)
    {
        var table = Terminal.Table("file", "pixel difference", "cosine", "verdict");
        foreach (var r in result.Rows)
        {
            table.AddRow(Terminal.Cell(r.File), r.PixelDifference is { } p ? Terminal.Text($"{p:F4}") : "-", r.Cosine is { } c ? Terminal.Text($"{c:F6}") : "-", r.Passed ? "[green]passed[/]" : "[red]FAILED[/]");
        }
        Terminal.Print(table);
        Terminal.Line(Terminal.Text($"{result.Rows.Count(r => r.Passed)} of {result.Rows.Count} passed: pixels within {GoldenEmbedding.PixelTolerance}, cosines of at least {GoldenEmbedding.LeastCosine}"));
    }

    private static void Write(Utf8JsonWriter w, GoldenEmbeddings result)
    {
        w.WriteStartObject();
        w.WriteBoolean("passed", result.Passed);
        w.WriteStartArray("files");
        foreach (var r in result.Rows)
        {
            w.WriteStartObject();
            w.WriteString("file", r.File);
            WriteNumber(w, "pixel_difference", r.PixelDifference);
            WriteNumber(w, "cosine", r.Cosine);
            w.WriteBoolean("passed", r.Passed);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }

    /// <summary>JSON has no infinity and no NaN; null also stands for what is not stored.</summary>
    private static void WriteNumber(Utf8JsonWriter w, string name, double? value)
    {
        if (value is { } number && double.IsFinite(number)) w.WriteNumber(name, number);
        else w.WriteNull(name);
    }
}
