using System.CommandLine;
using System.Text.Json;
using VlmKernels.Kernels;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm embed</c>: pictures or texts to files of embeddings, resumable and in shards.</summary>
internal static class EmbedCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var inputs = CommonOptions.Paths("input", "Pictures: files, folders, quoted patterns such as 'photos/**/*.jpg', or - for a list on standard input, one path a line.");
        var output = new Option<string>("--output", "-o") { Description = "Folder of the results, laid out as clip-retrieval does.", Required = true };
        var model = CommonOptions.Model();
        var texts = new Option<bool>("--texts") { Description = "Embeds texts: each line of the files, of *.txt in folders, or of standard input." };
        var format = Choice("--format", "File format of the embeddings", "npy", "safetensors");
        var dtype = Choice("--dtype", "Type of the numbers", "f32", "f16");
        var batch = CommonOptions.Number("--batch", "Inputs of a pass; by default, and at most, what the model takes at once. The result is the same.");
        var shards = CommonOptions.Number("--shards", "Cuts the inputs into this many parts, of which this run does one.");
        var shard = CommonOptions.Number("--shard", "The part, from 0; by default what SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX says.");
        var overwrite = new Option<bool>("--overwrite") { Description = "Starts anew instead of going on where an earlier run ended." };
        var asStored = CommonOptions.AsStored();
        var command = new Command("embed", "Embeds pictures or texts into files (CLIP, or a BLIP that matches); goes on where an earlier run ended.") { inputs, output, model, texts, format, dtype, batch, shards, shard, overwrite, asStored, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var options = new EmbedOptions(parsed.GetValue(output)!)
            {
                Texts = parsed.GetValue(texts),
                Format = parsed.GetValue(format) == "npy" ? RowFormat.Npy : RowFormat.Safetensors,
                Half = parsed.GetValue(dtype) == "f16",
                Batch = parsed.GetValue(batch),
                Shard = Shard.Choose(parsed.GetValue(shard), parsed.GetValue(shards)),
                Orient = !parsed.GetValue(asStored),
                Overwrite = parsed.GetValue(overwrite),
            };
            string[] sources = parsed.GetValue(inputs)!;
            var list = Terminal.While("listing the inputs", () => options.Texts ? EmbedInputs.Texts(sources, Console.In) : EmbedInputs.Pictures(sources, Console.In));
            using var backend = common.Open(parsed);
            using var embedder = CommonOptions.Load(parsed.GetValue(model)!, path => EmbeddingModels.Open(path, backend));
            using var session = new Session(backend);
            using var run = EmbedRun.Open(embedder, session, list, options);
            return Embed(run, options, parsed.GetValue(common.Json));
        }));
        return command;
    }

    private static Option<string> Choice(string name, string description, params string[] values)
    {
        var option = new Option<string>(name) { Description = $"{description}: {string.Join(" or ", values)}.", DefaultValueFactory = _ => values[0] };
        option.AcceptOnlyFromAmong(values);
        return option;
    }

    private static int Embed(EmbedRun run, EmbedOptions options, bool json)
    {
        string unit = options.Texts ? "texts" : "pictures";
        if (run.Finished) Terminal.Note($"{options.Output}: an earlier run has finished this; nothing to do");
        else if (run.Done > 0) Terminal.Note(Terminal.Text($"going on after {run.Done} {unit} of an earlier run"));
        try
        {
            var result = Terminal.Cancellable(cancel => Terminal.Track("embedding", run.Remaining, report => run.Run(report, cancel), unit));
            if (result.Errors > 0) Terminal.Note(Terminal.Text($"{result.Errors} of {result.Count + result.Errors} {unit} could not be embedded: see {result.Files.First(f => f.EndsWith(".jsonl", StringComparison.Ordinal))}"));
            if (json) Terminal.Json(w => Write(w, result), indented: true);
            else Print(result, unit);
            return result.Count > 0 || result.Errors == 0 ? 0 : Terminal.Failure;
        }
        catch (OperationCanceledException)
        {
            Terminal.Error(Terminal.Text($"stopped after {run.Done} {unit}; the same command goes on from there"));
            return Terminal.Failure;
        }
    }

    private static double PerSecond(EmbedResult r) => r.Seconds > 0 ? r.Now / r.Seconds : 0;

    private static void Print(EmbedResult r, string unit)
    {
        Terminal.Line(Terminal.Text($"{r.Count} embeddings; {r.Now} {unit} in {r.Seconds:F1} s, {PerSecond(r):F1} a second"));
        foreach (string file in r.Files) Terminal.Line($"  {file}");
    }

    private static void Write(Utf8JsonWriter w, EmbedResult r)
    {
        w.WriteStartObject();
        w.WriteNumber("count", r.Count);
        w.WriteNumber("errors", r.Errors);
        w.WriteNumber("seconds", Math.Round(r.Seconds, 3));
        w.WriteNumber("per_second", Math.Round(PerSecond(r), 1));
        w.WriteStartArray("files");
        foreach (string file in r.Files) w.WriteStringValue(file);
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
