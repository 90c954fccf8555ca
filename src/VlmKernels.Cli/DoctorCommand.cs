using System.CommandLine;
using Spectre.Console;
using VlmKernels.Tasks;

namespace VlmKernels.Cli;

/// <summary><c>vlm doctor</c>: what would run where, and how fast.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var common = new CommonOptions();
        var command = new Command("doctor", "Shows what this machine offers, how fast it computes, and which models are found.") { common.Json };
        common.AddDevice(command);
        command.SetAction(parsed => Terminal.Guard(() =>
        {
            var options = new DeviceOptions(parsed.GetValue(common.Device)!, parsed.GetValue(common.Isa), parsed.GetValue(common.Threads));
            var report = Terminal.While("measuring", () => DoctorReport.Measure(options));
            if (parsed.GetValue(common.Json)) WriteJson(report);
            else Print(report);
            return 0;
        }));
        return command;
    }

    private static void Print(DoctorReport r)
    {
        var table = Terminal.Table("", "").HideHeaders();
        void Row(string name, string value) => table.AddRow(name, Terminal.Cell(value));
        Row("processor", r.Processor);
        Row("cores", Terminal.Text($"{r.Cores} physical, {r.Threads} threads in use"));
        Row("caches", Terminal.Text($"L1 {Terminal.Bytes(r.L1Bytes)}, L2 {Terminal.Bytes(r.L2Bytes)} per core, L3 {(r.L3Bytes > 0 ? Terminal.Bytes(r.L3Bytes) : "unknown")}"));
        Row("memory", Terminal.Bytes(r.MemoryBytes));
        Row("instruction set", $"{r.Isa} (available: {string.Join(", ", r.AvailableIsas)})");
        Row("code", r.NativeCode ? "compiled ahead of time" : "compiled just in time");
        Row("multiply-add peak", Terminal.Text($"{r.PeakFlops / 1e9:F0} GFLOP/s"));
        Row("linear layer", Terminal.Text($"{r.GemmFlops / 1e9:F0} GFLOP/s, {100 * r.GemmFlops / r.PeakFlops:F0} % of the peak"));
        if (r.Models.Count == 0) Row("models", $"none found; set {ModelCatalog.Variable} to folders that hold models");
        foreach (var (name, path) in r.Models) Row($"model {Terminal.Cell(name)}", path);
        Terminal.Print(table);
    }

    private static void WriteJson(DoctorReport r) => Terminal.Json(
        w =>
        {
            w.WriteStartObject();
            w.WriteString("isa", r.Isa);
            w.WriteStartArray("available_isas");
            foreach (string isa in r.AvailableIsas) w.WriteStringValue(isa);
            w.WriteEndArray();
            w.WriteString("processor", r.Processor);
            w.WriteNumber("cores", r.Cores);
            w.WriteNumber("threads", r.Threads);
            w.WriteNumber("l1_bytes", r.L1Bytes);
            w.WriteNumber("l2_bytes", r.L2Bytes);
            w.WriteNumber("l3_bytes", r.L3Bytes);
            w.WriteNumber("memory_bytes", r.MemoryBytes);
            w.WriteNumber("peak_gflops", Math.Round(r.PeakFlops / 1e9, 1));
            w.WriteNumber("gemm_gflops", Math.Round(r.GemmFlops / 1e9, 1));
            w.WriteBoolean("native_code", r.NativeCode);
            w.WriteStartArray("models");
            foreach (var (name, path) in r.Models)
            {
                w.WriteStartObject();
                w.WriteString("name", name);
                w.WriteString("path", path);
                w.WriteEndObject();
            }
            w.WriteEndArray();
            w.WriteEndObject();
        },
        indented: true);
}
