using System.Diagnostics;
using System.Globalization;
using VlmKernels.Testing;

namespace VlmKernels.Perf;

/// <summary>How fast <c>vlm-convert</c> turns a large PyTorch file into safetensors, beside a plain copy of the file on the same disk, and in how much memory.</summary>
/// <param name="folder">Where the files are made; they are gone afterwards.</param>
internal sealed class ConvertReport(string folder)
{
    private const int CopyPiece = 1 << 20;

    /// <summary>Makes a file of about so many GiB, copies it, converts it, and prints rates and the peak of resident memory.</summary>
    public void Run(double gigabytes, TextWriter output)
    {
        string place = Directory.CreateDirectory(Path.Combine(folder, $"vlm-perf-{Path.GetRandomFileName()}")).FullName, source = Path.Combine(place, "made.pt");
        try
        {
            TorchFileMaker.Write(source, Math.Max(1, (int)(gigabytes * (1 << 30) / TorchFileMaker.TensorBytes)));
            long bytes = new FileInfo(source).Length;
            Print(output, "copy, flushed", bytes, Timed(() => Copy(source, Path.Combine(place, "copy"))), peak: null);
            foreach (string dtype in new[] { "as it is", "f16", "bf16" })
            {
                long peak = 0;
                string[] options = dtype == "as it is" ? [] : ["--dtype", dtype];
                TimeSpan time = Timed(() => peak = Convert([source, Path.Combine(place, "made.safetensors"), "--force", .. options]));
                Print(output, $"convert, {dtype}", bytes, time, peak);
            }
        }
        finally
        {
            Directory.Delete(place, recursive: true);
        }
    }

    private static void Print(TextWriter output, string what, long bytes, TimeSpan time, long? peak)
    {
        string memory = peak is null ? "" : string.Create(CultureInfo.InvariantCulture, $", peak RSS {peak / (1 << 20)} MiB");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-18} {bytes / 1e9:F2} GB read in {time.TotalSeconds:F1} s, {bytes / time.TotalSeconds / 1e6:F0} MB/s{memory}"));
    }

    private static TimeSpan Timed(Action run)
    {
        long started = Stopwatch.GetTimestamp();
        run();
        return Stopwatch.GetElapsedTime(started);
    }

    private static void Copy(string source, string result)
    {
        using (FileStream from = File.OpenRead(source), to = File.Create(result))
        {
            from.CopyTo(to, CopyPiece);
            to.Flush(flushToDisk: true);
        }
        File.Delete(result);
    }

    /// <summary>Runs the command; returns the most memory that it held.</summary>
    private static long Convert(string[] arguments)
    {
        string program = Path.Combine(Fixtures.Repository, "weights-convert", "bin", "Release", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "vlm-convert.dll");
        using Process process = Process.Start(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [program, .. arguments]);
        long peak = 0;
        while (!process.WaitForExit(20))
        {
            process.Refresh();
            if (!process.HasExited) peak = Math.Max(peak, process.PeakWorkingSet64);
        }
        return process.ExitCode == 0 ? peak : throw new InvalidOperationException($"{program} ended with {process.ExitCode}");
    }
}
