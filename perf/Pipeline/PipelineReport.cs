using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Models;
using VlmKernels.Tasks;
using VlmKernels.Weights;

namespace VlmKernels.Perf;

/// <summary>
/// From picture files to embeddings: first every stage alone on one core, then pictures per second with reading and model side by side. One core
/// and all cores run in turns, with the multiply-add peak of either measured around them: their ratio says what the second core could bring.
/// </summary>
internal sealed class PipelineReport(int threads, double seconds, string filter = "")
{
    private const int Batch = 32, Rounds = 5, RereadFiles = 64;

    private const double PeakSeconds = 0.5;

    private readonly JsonArray _rows = [];

    /// <summary>Runs everything; rows are printed as they come.</summary>
    public void Run(Tier tier, TextWriter log)
    {
        using var pictures = new PicturesOnDisk();
        var b32 = ClipSizes.Find("ViT-B/32")!;
        log.WriteLine($"{CpuInfo.Model}, {tier.Name()}, {threads} threads");
        log.WriteLine("one picture, one core                      decode ms  resize ms   model ms   decode + resize of all");
        string[] scenes = PicturesOnDisk.Scenes(), photos = pictures.Jpegs(640, 480);
        Stages(tier, log, "ViT-B/32, JPEG 4000x3000", OpenB32, pictures.Jpegs(4000, 3000));
        Stages(tier, log, "ViT-B/32, JPEG 640x480", OpenB32, photos);
        Stages(tier, log, "fashion-clip, PNG 512x512", OpenFashion, scenes);
        log.WriteLine("files to embeddings                         1 core/s    all/s   ratio   peaks' ratio   ratio of ratios");
        Rates(tier, log, "ViT-B/32, JPEG 640x480", OpenB32, photos);
        Rates(tier, log, "fashion-clip, PNG 512x512", OpenFashion, scenes);

        ClipRuntime OpenB32(IBackend backend) => ClipRuntime.OfSize(b32, new RandomWeights(seed: 1), backend);

        ClipRuntime OpenFashion(IBackend backend) => ClipRuntime.Open(ModelCatalog.Resolve("fashion-clip"), backend);
    }

    /// <summary>The rows as one array.</summary>
    public string ToJson() => _rows.ToJsonString(new System.Text.Json.JsonSerializerOptions { WriteIndented = true });

    /// <summary>Stages one behind the other on one core, the model with a batch as in <c>vlm embed</c>.</summary>
    private void Stages(Tier tier, TextWriter log, string name, Func<IBackend, ClipRuntime> open, string[] files)
    {
        if (!name.Contains(filter, StringComparison.OrdinalIgnoreCase)) return;
        using var backend = new CpuBackend(new CpuOptions { Tier = tier, Threads = 1 });
        using var clip = open(backend);
        using var session = new Session(backend);
        var decoder = new SkiaImageDecoder();
        var options = clip.Pipeline.DecodeOptions(applyOrientation: true);
        NativeImage[] images = [.. files.Select(f => decoder.DecodeNativeFile(f, options))];
        byte[] one = new byte[clip.PixelBytes], batch = new byte[Batch * clip.PixelBytes];
        var times = Interleaved.Measure(
        [
            () => { foreach (string file in files) decoder.DecodeNativeFile(file, options); },
            () => { foreach (var image in images) clip.Prepare(image, one); },
            () => Embed(clip, session, batch, Batch),
        ], 2 * seconds);
        double decode = times[0].Milliseconds / files.Length, prepare = times[1].Milliseconds / files.Length, model = times[2].Milliseconds / Batch;
        double share = (decode + prepare) / (decode + prepare + model);
        log.WriteLine(Text($"{name,-42} {decode,9:F2}  {prepare,9:F2}  {model,9:F2}   {100 * share:F0} %"));
        _rows.Add(new JsonObject { ["case"] = $"stages {name}", ["tier"] = tier.Name(), ["threads"] = 1, ["decode_ms"] = decode, ["resize_ms"] = prepare, ["model_ms"] = model });
    }

    private void Rates(Tier tier, TextWriter log, string name, Func<IBackend, ClipRuntime> open, string[] files)
    {
        if (!name.Contains(filter, StringComparison.OrdinalIgnoreCase)) return;
        using var single = new Contender(tier, 1, open);
        using var whole = new Contender(tier, threads, open);
        var ones = new List<double>();
        var alls = new List<double>();
        List<double> peakOne = [], peakAll = [];
        for (int round = 0; round < Rounds; round++)
        {
            peakOne.Add(CpuPeak.FmaRate(tier, 1, PeakSeconds));
            peakAll.Add(CpuPeak.FmaRate(tier, threads, PeakSeconds));
            ones.Add(Rate(single, files));
            alls.Add(Rate(whole, files));
        }
        double one = Median(ones), all = Median(alls), ratio = all / one, peaks = Median(peakAll) / Median(peakOne);
        log.WriteLine(Text($"{name,-42} {one,9:F1}  {all,7:F1}   {ratio:F2}    {peaks:F2}           {ratio / peaks:F2}"));
        _rows.Add(new JsonObject
        {
            ["case"] = $"pipeline {name}",
            ["tier"] = tier.Name(),
            ["threads"] = threads,
            ["pictures_per_second_1t"] = one,
            ["pictures_per_second"] = all,
            ["ratio"] = ratio,
            ["peak_ratio"] = peaks,
        });
    }

    /// <summary>Pictures per second of one pass over the files, again and again, without the time of loading.</summary>
    private double Rate(Contender c, string[] files)
    {
        string[] many = [.. Enumerable.Range(0, int.MaxValue / files.Length).SelectMany(_ => files).Take(1_000_000)];
        using var reader = PictureReader.OfFiles(c.Clip, many, Batch, threads: c.Cores);
        // The threads that read are started: one core is one core for all.
        if (OperatingSystem.IsLinux()) Affinity.Use(c.Cores);
        long start = 0, pictures = 0;
        foreach (var batch in reader.Batches())
        {
            Embed(c.Clip, c.Session, batch.Pixels, batch.Read.Count);
            // The first batches fill caches and the reader's ring.
            if (batch.First < RereadFiles) start = Stopwatch.GetTimestamp();
            else pictures += batch.Count;
            if (start != 0 && Stopwatch.GetElapsedTime(start).TotalSeconds > seconds) break;
        }
        double rate = pictures / Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (OperatingSystem.IsLinux()) Affinity.Use(threads);
        return rate;
    }

    private static void Embed(ClipRuntime clip, Session session, ReadOnlySpan<byte> pixels, int count)
    {
        using var mark = session.Mark();
        var values = new float[count * clip.EmbeddingSize];
        session.CopyOut<float>(clip.EmbedPixels(session, pixels, count), values);
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>A model on a number of cores.</summary>
    private sealed class Contender : IDisposable
    {
        private readonly CpuBackend _backend;

        public Contender(Tier tier, int cores, Func<IBackend, ClipRuntime> open)
        {
            Cores = cores;
            _backend = new CpuBackend(new CpuOptions { Tier = tier, Threads = cores });
            Clip = open(_backend);
            Session = new Session(_backend);
        }

        public int Cores { get; }

        public ClipRuntime Clip { get; }

        public Session Session { get; }

        public void Dispose()
        {
            Session.Dispose();
            Clip.Dispose();
            _backend.Dispose();
        }
    }
}
