using System.Text.Json.Nodes;

namespace VlmKernels.Perf;

/// <summary>One measured row.</summary>
internal sealed record ReportRow(string Case, string Tier, int Threads, int Batch, Timing Ours, double Gflops, double Gbps, double PercentOfPeak, double PercentOfRead)
{
    /// <summary>The fastest of the peer's graphs; null when there is none.</summary>
    public (string Graph, Timing Time)? Peer { get; init; }

    /// <summary>The peer's time over ours; above 1 we are faster.</summary>
    public double? Ratio => Peer is { } peer ? peer.Time.Milliseconds / Ours.Milliseconds : null;

    /// <summary>The row as one JSON object.</summary>
    public JsonObject ToJson() => new()
    {
        ["case"] = Case,
        ["tier"] = Tier,
        ["precision"] = "f32",
        ["threads"] = Threads,
        ["batch"] = Batch,
        ["median_ms"] = Ours.Milliseconds,
        ["spread_percent"] = Ours.SpreadPercent,
        ["gflops"] = Gflops,
        ["gbps"] = Gbps,
        ["percent_of_peak"] = PercentOfPeak,
        ["percent_of_read"] = PercentOfRead,
        ["ort_median_ms"] = Peer?.Time.Milliseconds,
        ["ort_graph"] = Peer?.Graph,
        ["ratio_to_ort"] = Ratio,
    };
}

/// <summary>What the machine could do in the same run.</summary>
internal sealed record PeakRow(string Tier, int Threads, double FmaOne, double FmaAll, double ReadOne, double ReadAll)
{
    /// <summary>The row as one JSON object; rates in GFLOP/s and GB/s.</summary>
    public JsonObject ToJson() => new()
    {
        ["case"] = "peaks",
        ["tier"] = Tier,
        ["threads"] = Threads,
        ["fma_gflops_1t"] = FmaOne / 1e9,
        ["fma_gflops_all"] = FmaAll / 1e9,
        ["read_gbps_1t"] = ReadOne / 1e9,
        ["read_gbps_all"] = ReadAll / 1e9,
    };
}
