using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm inspect</c>: what a checkpoint is, or what a published size would take.</summary>
internal static class InspectCommand
{
    // Bytes per value; int8 and int4 without their scales.
    private static readonly (string Name, double Bytes)[] Precisions = [("f32", 4), ("f16, bf16", 2), ("int8", 1), ("int4", 0.5)];

    // A hostile name may be megabytes long.
    private const int LongestName = 200;

    public static Command Create()
    {
        var common = new CommonOptions();
        var path = new Argument<string?>("path") { Description = "A checkpoint: folder, .safetensors, .safetensors.index.json, or the name of a model.", Arity = ArgumentArity.ZeroOrOne };
        path.Validators.Add(CommonOptions.RefuseOptions);
        var plan = new Option<string?>("--plan") { Description = $"Plans a published size without its weights: {string.Join(", ", ModelPlan.Names)}." };
        var batch = CommonOptions.Number("--batch", "Pictures or texts per pass of the plan; by default 1.");
        var command = new Command("inspect", "Shows what a checkpoint is and why, its tensors, parameters and memory.") { path, plan, batch, common.Json };
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            bool json = parsed.GetValue(common.Json);
            var (checkpoint, size, perPass) = (parsed.GetValue(path), parsed.GetValue(plan), parsed.GetValue(batch));
            if ((checkpoint is null) == (size is null)) throw new ArgumentException($"inspect: give a path, the name of a model, or --plan NAME{(size is null ? "" : ", not both")}");
            if (size is null && perPass is not null) throw new ArgumentException("--batch: belongs to --plan");
            if (size is not null) ShowPlan(ModelPlan.Of(size, perPass ?? 1), json);
            else ShowCheckpoint(Inspection.Of(ModelCatalog.Resolve(checkpoint!)), json);
            return 0;
        }));
        return command;
    }

    private static void ShowCheckpoint(Inspection i, bool json)
    {
        if (json)
        {
            Terminal.Json(w => Write(w, i), indented: true);
            return;
        }
        var head = Terminal.Table("", "").HideHeaders();
        void Row(string name, string value) => head.AddRow(name, Terminal.Cell(value));
        Row("checkpoint", i.Path);
        if (i.Files.Count > 1) Row("files", Terminal.Text($"{i.Files.Count}"));
        Row("recognised", i.Description ?? Terminal.Text($"{i.Kind.Family}, not supported by this version"));
        Row("because", i.Kind.Reason);
        if (i.Description is not null) Row("configuration", i.ConfigFile ?? "inferred from the tensors");
        foreach (var fact in i.Facts) Row(fact.Name, fact.Value);
        foreach (string note in i.Notes) Row("note", note);
        Row("parameters", Terminal.Text($"{i.Parameters:N0} in {i.Tensors.Sum(g => g.Count)} tensors, {Terminal.Bytes(i.Bytes)} in the file"));
        Row("memory", string.Join("; ", Precisions.Select(p => $"{p.Name}: {Terminal.Bytes(i.Parameters * p.Bytes)}")));
        foreach (var (key, value) in i.Metadata) Row("metadata", $"{key} = {value}");
        Terminal.Print(head);
        var tree = new Tree("[bold]tensors[/]");
        AddBranches(tree, [.. i.Tensors.Select(g => (g.Pattern.Split('.'), g))], 0);
        Terminal.Print(tree);
    }

    private static void AddBranches(IHasTreeNodes parent, IReadOnlyList<(string[] Parts, TensorGroup Group)> groups, int depth)
    {
        foreach (var branch in groups.GroupBy(g => g.Parts[depth]))
        {
            var leaves = branch.Where(g => g.Parts.Length == depth + 1).ToList();
            foreach (var (_, g) in leaves) parent.AddNode(Terminal.Cell(branch.Key, LongestName) + Terminal.Cell(Terminal.Text($"  {g.Type} {g.Shape}{(g.Count > 1 ? Terminal.Text($"  × {g.Count}") : "")}")));
            var deeper = branch.Where(g => g.Parts.Length > depth + 1).ToList();
            if (deeper.Count > 0) AddBranches(parent.AddNode($"[blue]{Terminal.Cell(branch.Key, LongestName)}[/]"), deeper, depth + 1);
        }
    }

    private static void ShowPlan(ModelPlan plan, bool json)
    {
        if (json)
        {
            Terminal.Json(w => Write(w, plan), indented: true);
            return;
        }
        var table = Terminal.Table(Terminal.Text($"{plan.Title}, batch {plan.Batch}"), "parameters", "weights, f32", "GFLOP", "workspace");
        foreach (var t in plan.Towers) table.AddRow(t.Name, Terminal.Text($"{t.Parameters:N0}"), Terminal.Bytes(t.WeightBytes), Terminal.Text($"{t.Cost.Flops / 1e9:F2}"), Terminal.Bytes(t.WorkspaceBytes));
        table.AddRow(plan.Towers.Count == 2 ? "both" : "all", Terminal.Text($"{plan.Towers.Sum(t => t.Parameters):N0}"), Terminal.Bytes(plan.Towers.Sum(t => t.WeightBytes)), Terminal.Text($"{plan.Towers.Sum(t => t.Cost.Flops) / 1e9:F2}"), Terminal.Bytes(plan.Towers.Max(t => t.WorkspaceBytes)));
        Terminal.Print(table);
    }

    private static void Write(Utf8JsonWriter w, Inspection i)
    {
        w.WriteStartObject();
        w.WriteString("path", i.Path);
        w.WriteString("family", i.Kind.Family);
        w.WriteString("layout", i.Kind.Layout?.Name);
        w.WriteString("description", i.Description);
        w.WriteBoolean("supported", i.Kind.IsSupported);
        w.WriteString("because", i.Kind.Reason);
        w.WriteString("configuration", i.ConfigFile);
        w.WriteNumber("parameters", i.Parameters);
        w.WriteNumber("bytes", i.Bytes);
        w.WriteStartArray("notes");
        foreach (string note in i.Notes) w.WriteStringValue(note);
        w.WriteEndArray();
        w.WriteStartArray("tensors");
        foreach (var g in i.Tensors)
        {
            w.WriteStartObject();
            w.WriteString("name", g.Pattern);
            w.WriteString("type", g.Type);
            w.WriteString("shape", g.Shape);
            w.WriteNumber("count", g.Count);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, ModelPlan plan)
    {
        w.WriteStartObject();
        w.WriteString("name", plan.Name);
        w.WriteNumber("batch", plan.Batch);
        w.WriteStartArray("towers");
        foreach (var t in plan.Towers)
        {
            w.WriteStartObject();
            w.WriteString("tower", t.Name);
            w.WriteNumber("parameters", t.Parameters);
            w.WriteNumber("weight_bytes_f32", t.WeightBytes);
            w.WriteNumber("flops", t.Cost.Flops);
            w.WriteNumber("workspace_bytes", t.WorkspaceBytes);
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }
}
