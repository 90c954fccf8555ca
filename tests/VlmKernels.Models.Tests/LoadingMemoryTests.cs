using System.Globalization;
using System.Runtime.InteropServices;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>Loading never holds two copies of the weights: neither mapped pages nor buffers pile up while tensors are packed.</summary>
public sealed class LoadingMemoryTests
{
    private const double MostOverPacked = 1.3;

    [Fact]
    public void A_model_of_600_MB_is_loaded_with_little_more_memory_than_it_keeps()
    {
        if (!OperatingSystem.IsLinux()) Assert.Skip("reads /proc");
        string file = Path.Combine(Path.GetTempPath(), $"vlmkernels-{Environment.ProcessId}.safetensors");
        try
        {
            var config = ClipSizes.Find("ViT-B/32")!.Config;
            WriteRandom(file, config);
            Assert.True(new FileInfo(file).Length > 500_000_000);
            using var backend = new CpuBackend();
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true);
            File.WriteAllText("/proc/self/clear_refs", "5"); // the peak starts anew from here
            long before = Status("VmRSS");
            using var checkpoint = Checkpoint.Open(file);
            using var loaded = WeightLoader.Load(ClipLayouts.HuggingFace.Over(file, checkpoint.Tensors.Values), backend, root => new ClipModel(root, config));
            long peak = Status("VmHWM") - before, packed = 4 * loaded.Parameters;
            Assert.True(peak <= MostOverPacked * packed, string.Create(CultureInfo.InvariantCulture, $"{peak:N0} bytes at the peak for {packed:N0} packed: {(double)peak / packed:F2}"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static long Status(string field)
    {
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(field, StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private static void WriteRandom(string file, ClipConfig config)
    {
        var names = new NameRecorder();
        using (var plan = new PlanBackend()) WeightLoader.Load(names, plan, root => new ClipModel(root, config)).Dispose();
        SafetensorsWriter.Write(file, names.Shapes.Select(s => new TensorSource(s.Key, FileDType.F32, Extents(s.Value), stream => Fill(stream, s.Value.Count))));
    }

    private static long[] Extents(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(i => (long)shape[i])];

    private static void Fill(Stream stream, long count)
    {
        var random = new Random(5);
        var chunk = new float[Math.Min(count, 1 << 16)];
        for (long left = count; left > 0; left -= chunk.Length)
        {
            var part = chunk.AsSpan(0, (int)Math.Min(left, chunk.Length));
            foreach (ref float v in part) v = (float)random.NextDouble();
            stream.Write(MemoryMarshal.AsBytes(part));
        }
    }

    /// <summary>Answers any name and remembers it.</summary>
    private sealed class NameRecorder : IWeightSource
    {
        private readonly RandomWeights _values = new(1);

        public Dictionary<string, Shape> Shapes { get; } = [];

        public string Origin => _values.Origin;

        public IReadOnlyCollection<string> Names => [];

        public bool Has(string name) => false;

        public WeightView? Find(string name, Shape expected)
        {
            Shapes[name] = expected;
            return _values.Find(name, expected);
        }

        public string NameInFile(string name) => name;
    }
}
