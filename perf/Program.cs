using System.CommandLine;
using BenchmarkDotNet.Running;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Perf;

var filter = new Option<string?>("--filter") { Description = "Only cases whose name contains this." };
var quick = new Option<bool>("--quick") { Description = "ViT-B/32 and short rounds: at most two minutes." };
var threads = new Option<int>("--threads") { Description = "Threads that compute; by default one per physical core.", DefaultValueFactory = _ => CpuInfo.PhysicalCores };
var isa = new Option<string[]>("--isa") { Description = "Tiers to measure (avx512, avx2, vector128); by default the widest.", AllowMultipleArgumentsPerToken = true };
var noPeers = new Option<bool>("--no-peers") { Description = "Leaves ONNX Runtime out." };
var json = new Option<string?>("--json") { Description = "Writes the rows to this file as JSON." };
var markdown = new Option<string?>("--markdown") { Description = "Writes the rows to this file as Markdown." };

var report = new Command("report", "Measures the machine's peaks, then ops and models as a share of them, beside ONNX Runtime in the same run.") { filter, quick, threads, isa, noPeers, json, markdown };
report.SetAction(parsed =>
{
    var options = new ReportOptions(parsed.GetValue(filter), parsed.GetValue(quick), parsed.GetValue(threads), TiersOf(parsed), !parsed.GetValue(noPeers));
    var run = new Report(options);
    run.Run(Console.Out);
    if (parsed.GetValue(json) is { } jsonFile) File.WriteAllText(jsonFile, run.ToJson());
    if (parsed.GetValue(markdown) is { } markdownFile) File.WriteAllText(markdownFile, run.ToMarkdown("dotnet run -c Release --project perf -- report " + string.Join(' ', args.Skip(1))));
});

var seconds = new Option<double>("--seconds") { Description = "Length of one measurement.", DefaultValueFactory = _ => 5 };
var pipeline = new Command("pipeline", "From picture files to embeddings: the share of decoding, resizing and model, and pictures per second on one core and all.") { filter, threads, isa, seconds, json };
pipeline.SetAction(parsed =>
{
    var run = new PipelineReport(parsed.GetValue(threads), parsed.GetValue(seconds), parsed.GetValue(filter) ?? "");
    foreach (var tier in TiersOf(parsed)) run.Run(tier, Console.Out);
    if (parsed.GetValue(json) is { } file) File.WriteAllText(file, run.ToJson());
});

var name = new Argument<string>("case") { Description = "Name of a case, such as clip-vit-b32-vision; part of a name takes all that have it." };
var batch = new Option<int?>("--batch") { Description = "Only the case of this batch." };
var profile = new Command("profile", "Where the time of a case goes: every operation at every shape, with its share of the pass and of the machine's peaks.") { name, batch, threads, isa, seconds };
profile.SetAction(parsed =>
{
    var cases = PerfCases.Find(parsed.GetValue(name)!).Where(c => parsed.GetValue(batch) is not { } only || c.Batch == only).ToList();
    foreach (var tier in TiersOf(parsed))
    {
        foreach (var c in cases) new ProfileReport(tier, parsed.GetValue(threads), parsed.GetValue(seconds)).Run(c, Console.Out);
    }
});

var benchArguments = new Argument<string[]>("arguments") { Description = "Arguments of BenchmarkDotNet, such as --filter '*Linear*'.", Arity = ArgumentArity.ZeroOrMore };
var bench = new Command("bench", "Runs the BenchmarkDotNet suites: one per op, with disassembly.") { benchArguments };
bench.SetAction(parsed => { BenchmarkSwitcher.FromAssembly(typeof(OpSuite).Assembly).Run(parsed.GetValue(benchArguments)); });

var gigabytes = new Option<double>("--gigabytes") { Description = "Size of the file that is made, in GiB; three times as much room is needed.", DefaultValueFactory = _ => 4 };
var folder = new Option<string>("--folder") { Description = "Where it is made; by default the folder of temporary files.", DefaultValueFactory = _ => Path.GetTempPath() };
var convert = new Command("convert", "vlm-convert on a large PyTorch file, beside a copy of it on the same disk, and its peak of memory.") { gigabytes, folder };
convert.SetAction(parsed => new ConvertReport(parsed.GetValue(folder)!).Run(parsed.GetValue(gigabytes), Console.Out));

return new RootCommand("Timings of VlmKernels.") { report, profile, pipeline, bench, convert }.Parse(args).Invoke();

IReadOnlyList<Tier> TiersOf(ParseResult parsed) => parsed.GetValue(isa) is { Length: > 0 } names ? [.. names.Select(Tiers.Parse)] : [Tiers.Best];
