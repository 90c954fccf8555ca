using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Cli;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary><c>vlm-convert inspect</c>: what a file of weights holds.</summary>
internal static class InspectCommand
{
    // A hostile name may be megabytes long.
    private const int LongestName = 200;

    public static Command Create()
    {
        var path = new Argument<string>("file") { Description = "A file, an index of shards, or a folder." };
        var json = new Option<bool>("--json") { Description = "Prints JSON instead of tables." };
        var command = new Command("inspect", "Shows the tensors of a file, what was left out, and which are one tensor under several names.") { path, json };
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            using var checkpoint = Checkpoint.Open(parsed.GetValue(path)!);
            if (parsed.GetValue(json)) Terminal.Json(w => Write(w, checkpoint), indented: true);
            else Show(checkpoint);
            return 0;
        }));
        return command;
    }

    private static void Show(Checkpoint checkpoint)
    {
        var head = Terminal.Table("", "").HideHeaders();
        void Row(string name, string value) => head.AddRow(name, Terminal.Cell(value));
        Row("file", checkpoint.Path);
        Row("recognised", CheckpointKind.Recognise(checkpoint.Tensors.Keys).Reason);
        Row("tensors", Terminal.Text($"{checkpoint.Tensors.Count}, {Terminal.Bytes(checkpoint.Tensors.Values.Sum(tensor => tensor.ByteLength))}"));
        foreach (string note in checkpoint.Notes) Row("note", note);
        foreach (var names in checkpoint.Aliases) Row("one tensor", string.Join(", ", names));
        foreach (var (key, value) in checkpoint.Metadata) Row("metadata", $"{key} = {value}");
        Terminal.Print(head);
        var table = Terminal.Table("tensor", "type", "shape");
        foreach (var tensor in checkpoint.Tensors.Values) table.AddRow(Terminal.Cell(tensor.Name, LongestName), $"{tensor.DType}", Terminal.Cell($"[{string.Join(", ", tensor.Shape)}]"));
        Terminal.Print(table);
    }

    private static void Write(Utf8JsonWriter w, Checkpoint checkpoint)
    {
        w.WriteStartObject();
        w.WriteString("path", checkpoint.Path);
        w.WriteString("recognised", CheckpointKind.Recognise(checkpoint.Tensors.Keys).Reason);
        WriteTexts(w, "notes", checkpoint.Notes);
        w.WriteStartArray("one_tensor");
        foreach (var names in checkpoint.Aliases) WriteTexts(w, null, names);
        w.WriteEndArray();
        w.WriteStartObject("metadata");
        foreach (var (key, value) in checkpoint.Metadata) w.WriteString(key, value);
        w.WriteEndObject();
        w.WriteStartArray("tensors");
        foreach (var tensor in checkpoint.Tensors.Values)
        {
            w.WriteStartObject();
            w.WriteString("name", tensor.Name);
            w.WriteString("type", tensor.DType.Name());
            w.WriteStartArray("shape");
            foreach (long extent in tensor.Shape) w.WriteNumberValue(extent);
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter w, string? name, IEnumerable<string> texts)
    {
        if (name is not null) w.WritePropertyName(name);
        w.WriteStartArray();
        foreach (string text in texts) w.WriteStringValue(text);
        w.WriteEndArray();
    }
}
