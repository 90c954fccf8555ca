using System.Diagnostics;
using System.Globalization;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>
/// Damaged PyTorch files, thousands in every run; VLMKERNELS_FUZZ=1000000 runs as many as it says, VLMKERNELS_FUZZ_SEED starts elsewhere.
/// Each gives tensors or a WeightFileException, in little time and memory.
/// </summary>
public sealed class TorchFuzzTests(ITestOutputHelper output) : IDisposable
{
    private const int LargestFile = 25_000, DefaultRuns = 3000, Piece = 1 << 16;

    // What a pickle of nothing but one-byte opcodes may cost, and room for tables that are filled once.
    private const long MostPerByte = 200, MostAnyway = 4 << 20;

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    private readonly TemporaryFolder _folder = new();
    private readonly byte[] _piece = new byte[Piece];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_damaged_file_gives_tensors_or_one_clear_error()
    {
        int runs = Number("VLMKERNELS_FUZZ", DefaultRuns), seed = Number("VLMKERNELS_FUZZ_SEED", 1), read = 0, current = 0;
        var mutations = new TorchMutations(SmallFiles());
        Task work = Task.Run(() =>
        {
            for (int i = 0; i < runs; i++)
            {
                Volatile.Write(ref current, i);
                (string name, byte[] bytes) = mutations.Make(seed + i);
                if (Try(bytes, $"{name} with seed {seed + i}")) read++;
            }
        });
        // A file that never ends must fail the test, not stop it.
        for (int last = -1; await Task.WhenAny(work, Task.Delay(5 * MaxTime)) != work; last = Volatile.Read(ref current))
        {
            Assert.False(last == Volatile.Read(ref current), $"the file with seed {seed + last} does not end");
        }
        await work;
        output.WriteLine($"{runs} damaged files from seed {seed}: {read} read, {runs - read} refused");
        // Both outcomes must occur, or the damage is not worth much.
        Assert.InRange(read, runs / 50, runs - runs / 50);
    }

    private bool Try(byte[] bytes, string name)
    {
        string path = _folder["damaged.pt"];
        File.WriteAllBytes(path, bytes);
        long allocated = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
        bool read = Reads(path, name);
        TimeSpan time = Stopwatch.GetElapsedTime(started);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        Assert.True(time < MaxTime, $"{name} took {time}");
        Assert.True(allocated < MostAnyway + MostPerByte * bytes.Length, $"{name} of {bytes.Length} bytes allocated {allocated}");
        return read;
    }

    private bool Reads(string path, string name)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            foreach (StoredTensor tensor in checkpoint.Tensors.Values)
            {
                for (long at = 0; at < tensor.ByteLength; at += Piece) tensor.ReadBytes(at, _piece.AsSpan(0, (int)Math.Min(Piece, tensor.ByteLength - at)));
            }
            _ = checkpoint.Aliases.Count;
            return true;
        }
        catch (WeightFileException e)
        {
            Assert.Contains(path, e.Message, StringComparison.Ordinal);
            return false;
        }
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"{name}: {e.GetType().Name} instead of WeightFileException", e);
        }
    }

    private static List<(string, byte[])> SmallFiles()
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights");
        var files = new List<(string, byte[])>();
        foreach (string path in Directory.EnumerateFiles(folder, "*.*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (Path.GetExtension(path) is ".pt" or ".pth" or ".bin" && new FileInfo(path).Length is > 0 and <= LargestFile) files.Add((Path.GetFileName(path), File.ReadAllBytes(path)));
        }
        return files;
    }

    private static int Number(string variable, int absent) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : absent;
}
