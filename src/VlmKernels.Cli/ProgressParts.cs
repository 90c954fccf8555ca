using System.Diagnostics;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace VlmKernels.Cli;

/// <summary>How many items a second are done, beside a bar.</summary>
internal sealed class RateColumn(string unit) : ProgressColumn
{
    protected override bool NoWrap => true;

    public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(task.Speed is { } speed ? Terminal.Text($"{speed:F1} {unit}/s") : "");
}

/// <summary>Progress for logs: a line a minute.</summary>
internal sealed class ProgressLines(string what, int total, string unit)
{
    private static readonly TimeSpan BetweenLines = TimeSpan.FromMinutes(1);

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private TimeSpan _next = BetweenLines;

    public void Report(int done)
    {
        var elapsed = _watch.Elapsed;
        if (elapsed < _next) return;
        _next = elapsed + BetweenLines;
        double rate = done / elapsed.TotalSeconds;
        string left = rate > 0 ? Terminal.Text($", {TimeSpan.FromSeconds(Math.Round((total - done) / rate)):c} left") : "";
        Terminal.Note(Terminal.Text($"{what}: {done} of {total}, {rate:F1} {unit}/s{left}"));
    }
}
