using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using VlmKernels.Kernels.Cpu;

namespace VlmKernels.Perf;

/// <summary>What to report.</summary>
internal sealed record ReportOptions(string? Filter, bool Quick, int Threads, IReadOnlyList<Tier> Tiers, bool Peers);

/// <summary>Measures peaks, then every case beside its peers, and writes what it found.</summary>
internal sealed class Report(ReportOptions options)
{
    private readonly List<PeakRow> _peaks = [];
    private readonly List<ReportRow> _rows = [];

    /// <summary>Runs everything; rows are printed as they come.</summary>
    public void Run(TextWriter log)
    {
        log.WriteLine(Machine);
        foreach (var tier in options.Tiers)
        {
            var peak = MeasurePeak(tier);
            _peaks.Add(peak);
            log.WriteLine(Text($"{peak.Tier}: {peak.FmaOne / 1e9:F0} GFLOP/s on one thread, {peak.FmaAll / 1e9:F0} on {peak.Threads}; reads {peak.ReadOne / 1e9:F1} and {peak.ReadAll / 1e9:F1} GB/s"));
            using var backend = new CpuBackend(new CpuOptions { Tier = tier, Threads = options.Threads });
            foreach (var @case in Cases()) Measure(@case, backend, peak, log);
        }
    }

    /// <summary>Peak rows, then case rows, as one array.</summary>
    public string ToJson()
    {
        var rows = new JsonArray();
        foreach (var peak in _peaks) rows.Add(peak.ToJson());
        foreach (var row in _rows) rows.Add(row.ToJson());
        return rows.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }

    /// <summary>The same as Markdown tables.</summary>
    public string ToMarkdown(string command)
    {
        var text = new StringBuilder().AppendLine("# Performance").AppendLine();
        text.AppendLine(Text($"Printed by `{command}` on: {Machine}. Medians of interleaved rounds; every share of a peak is against multiply-adds (or reads) timed in turns with the case. ONNX Runtime always uses the widest instructions of the processor, also beside rows of a narrower tier.")).AppendLine();
        text.AppendLine("| tier | FMA, 1 thread | FMA, all | read, 1 thread | read, all |").AppendLine("| --- | --- | --- | --- | --- |");
        foreach (var p in _peaks) text.AppendLine(Text($"| {p.Tier} | {p.FmaOne / 1e9:F0} GFLOP/s | {p.FmaAll / 1e9:F0} GFLOP/s | {p.ReadOne / 1e9:F1} GB/s | {p.ReadAll / 1e9:F1} GB/s |"));
        text.AppendLine().AppendLine("| case | tier | threads | batch | ms | spread | GFLOP/s | GB/s | of peak | of read | ONNX Runtime ms | ratio |").AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var r in _rows)
        {
            text.AppendLine(Text($"| {r.Case} | {r.Tier} | {r.Threads} | {r.Batch} | {r.Ours.Milliseconds:G4} | {r.Ours.SpreadPercent:F0} % | {r.Gflops:F1} | {r.Gbps:F1} | {r.PercentOfPeak:F0} % | {r.PercentOfRead:F0} % | {r.Peer?.Time.Milliseconds:G4} | {r.Ratio:F2} |"));
        }
        return text.ToString();
    }

    private static string Machine => Text($"{CpuInfo.Model}, {CpuInfo.PhysicalCores} cores, L2 {CpuInfo.L2Bytes >> 10} KiB, L3 {(CpuInfo.L3Bytes == 0 ? "unknown" : $"{CpuInfo.L3Bytes >> 20} MiB")}, widest tier {Tiers.Best.Name()}");

    private double Seconds(double full) => options.Quick ? full / 5 : full;

    private PeakRow MeasurePeak(Tier tier) => new(tier.Name(), options.Threads, CpuPeak.FmaRate(tier, 1, Seconds(0.5)), CpuPeak.FmaRate(tier, options.Threads, Seconds(0.5)),
        CpuPeak.ReadRate(1, Seconds(1)), CpuPeak.ReadRate(options.Threads, Seconds(1)));

    private IEnumerable<PerfCase> Cases()
    {
        if (options.Filter is { } filter) return PerfCases.Find(filter);
        return options.Quick ? PerfCases.All.Where(c => c is ClipCase { Size: "ViT-B/32" }) : PerfCases.All;
    }

    private void Measure(PerfCase @case, CpuBackend backend, PeakRow whole, TextWriter log)
    {
        using var prepared = @case.Prepare(backend, backend.Threads);
        OrtPeer[] peers = options.Peers && PeerGraph.Root() is { } root
            ? [.. @case.Graphs.Select(g => Path.Combine(root, g)).Where(Directory.Exists).Select(g => new OrtPeer(new PeerGraph(g), backend.Threads, @case.Batch))]
            : [];
        // What the machine can do is timed in turns with the case: clocks and neighbours of shared machines change.
        using var fma = PeakLoad.Fma(backend.Tier, backend.Threads);
        using var reading = @case.IsReading ? PeakLoad.Read(backend.Threads) : null;
        Action[] yardsticks = reading is null ? [fma.Run] : [fma.Run, reading.Run];
        var times = Interleaved.Measure([prepared.Run, .. yardsticks, .. peers.Select(p => (Action)p.Run)], Seconds(@case.Seconds));
        double peak = Rate(fma, times[1]), read = reading is null ? whole.ReadAll : Rate(reading, times[2]);
        times = [times[0], .. times.Skip(1 + yardsticks.Length)];
        double seconds = times[0].Milliseconds / 1000, flops = prepared.Cost.Flops / seconds, bytes = prepared.Cost.Bytes / seconds;
        int best = peers.Length == 0 ? -1 : Enumerable.Range(0, peers.Length).MinBy(i => times[i + 1].Milliseconds);
        var row = new ReportRow(@case.Name, backend.Tier.Name(), backend.Threads, @case.Batch, times[0], flops / 1e9, bytes / 1e9, 100 * flops / peak, 100 * bytes / read)
        {
            Peer = best < 0 ? null : (peers[best].Name, times[best + 1]),
        };
        foreach (var peer in peers) peer.Dispose();
        _rows.Add(row);
        log.WriteLine(Text($"{row.Case,-44} {row.Tier,-9} t{row.Threads} b{row.Batch,-2} {row.Ours.Milliseconds,9:G4} ms ±{row.Ours.SpreadPercent:F0}%  {row.Gflops,7:F1} GFLOP/s  {row.PercentOfPeak,3:F0}% of peak  {row.Gbps,6:F1} GB/s  {row.PercentOfRead,3:F0}% of read{(row.Peer is { } p ? Text($"  {p.Graph} {p.Time.Milliseconds:G4} ms, ratio {row.Ratio:F2}") : "")}"));
    }

    private static double Rate(PeakLoad load, Timing time) => load.Amount / (time.Milliseconds / 1000);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
