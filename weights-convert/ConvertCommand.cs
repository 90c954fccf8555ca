using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;
using VlmKernels.Cli;

namespace VlmKernels.Convert;

/// <summary><c>vlm-convert SOURCE RESULT</c>: weights of any published form to safetensors.</summary>
internal static class ConvertCommand
{
    private const int BytesPerStep = 1 << 20;

    public static RootCommand Create()
    {
        var options = new ConvertOptions();
        var source = new Argument<string>("source") { Description = "A PyTorch file (.pt, .pth, .bin, .ckpt), a safetensors file, an index of shards, or a folder that holds one." };
        var result = new Argument<string>("result") { Description = "A file name that ends with .safetensors, or a folder for model.safetensors." };
        var shardSize = new Option<string?>("--shard-size") { Description = "Cuts the result into files of at most this size, such as 2GB, with an index." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Shows what would be written, and writes nothing." };
        var force = new Option<bool>("--force") { Description = "Replaces a result that is there." };
        var command = new RootCommand("Converts published weights to safetensors. A pickle is read and never executed.") { source, result, options.DType, shardSize, options.Renames, options.Layout, dryRun, force };
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            long? most = parsed.GetValue(shardSize) is { } size ? SizeText.Parse(shardSize.Name, size) : null;
            using var conversion = Conversion.Open(parsed.GetValue(source)!, options.Of(parsed, withDType: true));
            var files = ResultFiles.Of(parsed.GetValue(result)!, conversion.Tensors, most);
            var writer = new ResultWriter(conversion, files);
            writer.Check(parsed.GetValue(force));
            foreach (string note in conversion.Notes) Terminal.Note(note);
            if (!parsed.GetValue(dryRun)) return Write(conversion, files, writer);
            Show(conversion, files);
            return 0;
        }));
        return command;
    }

    private static int Write(Conversion conversion, ResultFiles files, ResultWriter writer)
    {
        var watch = Stopwatch.StartNew();
        try
        {
            Terminal.Cancellable(cancel => Terminal.Track("converting", Steps(conversion.ByteLength), report =>
            {
                long done = 0;
                writer.Write(bytes => report(Steps(done += bytes)), cancel);
                return done;
            }, "MiB"));
        }
        catch (OperationCanceledException)
        {
            Terminal.Error("stopped; nothing was written");
            return Terminal.Failure;
        }
        foreach (PlannedTensor tensor in conversion.Tensors.Where(tensor => tensor.Overflows > 0))
        {
            Terminal.Note(Terminal.Text($"{tensor.Name}: {tensor.Overflows} of {tensor.Source.Count} values are too large for {tensor.DType} and became infinite"));
        }
        double seconds = watch.Elapsed.TotalSeconds;
        Terminal.Line(Terminal.Text($"{files.Path}: {conversion.Tensors.Count} tensors, {Terminal.Bytes(conversion.ByteLength)} in {files.Files.Count} {(files.Files.Count == 1 ? "file" : "files")}, {seconds:F1} s, {conversion.ByteLength / seconds / 1e6:F0} MB/s"));
        return 0;
    }

    private static int Steps(long bytes) => (int)(bytes / BytesPerStep);

    private static void Show(Conversion conversion, ResultFiles files)
    {
        var table = Terminal.Table("file", "tensor", "type", "shape", "from");
        foreach (ResultFile file in files.Files)
        {
            foreach (PlannedTensor tensor in file.Tensors)
            {
                string from = tensor.Source.Key == tensor.Name && tensor.Source.DType == tensor.DType ? "" : $"{tensor.Source.Key} {tensor.Source.Type}";
                table.AddRow(Terminal.Cell(file.Name), Terminal.Cell(tensor.Name), $"{tensor.DType}", Terminal.Cell($"[{string.Join(", ", tensor.Source.Shape)}]"), Terminal.Cell(from));
            }
        }
        Terminal.Print(table);
        Terminal.Line(Terminal.Text($"{files.Path}: {conversion.Tensors.Count} tensors, {Terminal.Bytes(conversion.ByteLength)} in {files.Files.Count} {(files.Files.Count == 1 ? "file" : "files")} would be written"));
    }
}
