using System.CommandLine;
using System.Text.Json;
using Spectre.Console;
using VlmKernels.Kernels;
using VlmKernels.Tasks.Verification;

namespace VlmKernels.Cli;

/// <summary><c>vlm verify</c>: golden cases, stage by stage.</summary>
internal static class VerifyCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var cases = CommonOptions.Paths("case", "Folders with golden.json, golden.safetensors and checkpoint files.");
        var summary = new Option<bool>("--summary") { Description = "Prints one line per checkpoint file and only the stages that failed." };
        var command = new Command("verify", "Compares a model, stage by stage, with what its reference implementation computed.") { cases, summary, common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            using var backend = common.Open(parsed);
            string[] folders = parsed.GetValue(cases)!;
            var reports = new List<VerifyReport>();
            Terminal.ForEach("verifying", folders, prints: false, folder => reports.AddRange(Run(folder, backend)));
            if (parsed.GetValue(common.Json)) WriteJson(reports);
            else foreach (var report in reports) Print(report, parsed.GetValue(summary));
            return reports.Count == folders.Length && IsSuccess(reports) ? 0 : Terminal.Failure;
        }));
        return command;
    }

    /// <summary>Skipped cases beside verified ones are no failure; skipped cases alone are, since then nothing is known.</summary>
    private static bool IsSuccess(IReadOnlyList<VerifyReport> reports)
    {
        if (!reports.Any(r => r.Compared)) Terminal.Error("nothing verified");
        return reports.Any(r => r.Compared) && !reports.SelectMany(r => r.Failures).Any();
    }

    /// <summary>The report of a case; none when its files cannot be read, which does not cost the reports of the others.</summary>
    private static VerifyReport[] Run(string folder, IBackend backend)
    {
        try
        {
            Terminal.ExpectFile(Path.Combine(folder, "golden.json"), "a golden case");
            return [Verifier.Run(folder, backend)];
        }
        catch (Exception e) when (Terminal.IsInputFault(e))
        {
            Terminal.Error(Terminal.Describe(e));
            return [];
        }
    }

    private static void Print(VerifyReport report, bool summary)
    {
        foreach (var file in report.Checkpoints)
        {
            string head = Terminal.Text($"{report.Case}  {file.File}  {report.Backend}: ");
            if (file.SkippedBecause is { } reason)
            {
                Terminal.Line($"{head}skipped, {reason}");
                continue;
            }
            int failed = file.Checks.Count(c => c.Verdict == Verdict.Failed), skipped = file.Checks.Count(c => c.Verdict == Verdict.Skipped);
            Terminal.Line(Terminal.Text($"{head}{(failed == 0 ? "passed" : "FAILED")}, {file.Checks.Count - failed - skipped} stages equal, {failed} not, {skipped} skipped"));
            var shown = summary ? [.. file.Checks.Where(c => c.Verdict == Verdict.Failed)] : file.Checks;
            if (shown.Count > 0) Terminal.Print(Table(shown));
            // Below the table: a note may be many lines long.
            foreach (var c in file.Checks.Where(c => c.Note.Length > 0)) Terminal.Line($"{c.Call}, {c.Stage}: {c.Note}");
        }
    }

    private static Table Table(IReadOnlyList<StageCheck> checks)
    {
        var table = Terminal.Table("call", "stage", "shape", "max error", "tolerance", "verdict");
        foreach (var c in checks)
        {
            string colour = c.Verdict switch { Verdict.Passed => "green", Verdict.Failed => "red", _ => "yellow" };
            table.AddRow(Terminal.Cell(c.Call), Terminal.Cell(c.Stage), Terminal.Cell(c.Shape), Terminal.Text($"{c.MaxError:0.0e-0}"), Terminal.Text($"{c.Tolerance:0.0e-0}"),
                $"[{colour}]{(c.Verdict == Verdict.Failed ? "FAILED" : c.Verdict.ToString().ToLowerInvariant())}[/]");
        }
        return table;
    }

    private static void WriteJson(IReadOnlyList<VerifyReport> reports) => Terminal.Json(
        w =>
        {
            w.WriteStartArray();
            foreach (var report in reports) Write(w, report);
            w.WriteEndArray();
        },
        indented: true);

    private static void Write(Utf8JsonWriter w, VerifyReport report)
    {
        w.WriteStartObject();
        w.WriteString("case", report.Case);
        w.WriteString("family", report.Family);
        w.WriteString("backend", report.Backend);
        w.WriteBoolean("passed", report.Passed);
        w.WriteStartArray("checkpoints");
        foreach (var file in report.Checkpoints)
        {
            w.WriteStartObject();
            w.WriteString("file", file.File);
            w.WriteString("skipped", file.SkippedBecause);
            w.WriteStartArray("stages");
            foreach (var c in file.Checks) Write(w, c);
            w.WriteEndArray();
            w.WriteEndObject();
        }
        w.WriteEndArray();
        w.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter w, StageCheck c)
    {
        w.WriteStartObject();
        w.WriteString("call", c.Call);
        w.WriteString("stage", c.Stage);
        w.WriteString("shape", c.Shape);
        // JSON has no infinity: an error that is not finite is one that no number describes.
        if (double.IsFinite(c.MaxError)) w.WriteNumber("max_error", c.MaxError);
        else w.WriteNull("max_error");
        w.WriteNumber("tolerance", c.Tolerance);
        w.WriteString("verdict", c.Verdict.ToString().ToLowerInvariant());
        w.WriteString("note", c.Note);
        w.WriteEndObject();
    }
}
