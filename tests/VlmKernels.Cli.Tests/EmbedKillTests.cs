using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>
/// <c>vlm embed</c> killed (SIGKILL) at random moments until it gets through: the files have the bits of an undisturbed run. Once in the ordinary
/// tests; the variable VLMKERNELS_KILLS says how often instead.
/// </summary>
public sealed class EmbedKillTests : IDisposable
{
    private const int Pictures = 2000, DamagedEvery = 97, Shards = 4, KillsOfWhole = 5, KillsOfShard = 1;

    private static readonly int Times = int.Parse(Environment.GetEnvironmentVariable("VLMKERNELS_KILLS") is { Length: > 0 } times ? times : "1", CultureInfo.InvariantCulture);

    private readonly TemporaryFolder _folder = new();
    private TimeSpan _undisturbed;

    public EmbedKillTests() => Embeddings.WritePictures(Directory.CreateDirectory(_folder["in"]).FullName, Pictures, DamagedEvery);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Killed_runs_end_with_the_bits_of_an_undisturbed_one()
    {
        Whole();
        string[] names = Embeddings.Files(_folder["whole"]);
        for (int time = 0; time < Times; time++)
        {
            string output = _folder[$"killed-{time}"];
            int kills = RunToItsEnd(output, new Random(Seed(time)), KillsOfWhole);
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {Seed(time)}: {kills} kills");
            Assert.Equal(names, Embeddings.Files(output));
            Assert.All(names, name => Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["whole"], name)), File.ReadAllBytes(Path.Combine(output, name))));
        }
    }

    [Fact]
    public void Killed_shards_in_order_are_the_undisturbed_whole()
    {
        var whole = Whole();
        for (int time = 0; time < Times; time++)
        {
            var random = new Random(Seed(time));
            string output = _folder[$"shards-{time}"];
            int kills = Enumerable.Range(0, Shards).Sum(shard => RunToItsEnd(output, random, KillsOfShard, "--shards", $"{Shards}", "--shard", $"{shard}"));
            TestContext.Current.TestOutputHelper?.WriteLine($"seed {Seed(time)}: {kills} kills");
            Embeddings[] parts = [.. Enumerable.Range(0, Shards).Select(shard => Embeddings.Read(output, shard))];
            Assert.Equal(whole.Data, parts.SelectMany(p => p.Data));
            Assert.Equal(whole.Inputs, parts.SelectMany(p => p.Inputs));
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder["whole"], "errors_0.jsonl")), Enumerable.Range(0, Shards).SelectMany(shard => File.ReadAllBytes(Path.Combine(output, $"errors_{shard}.jsonl"))));
        }
    }

    private static int Seed(int time) => 20_000 + time;

    private Embeddings Whole()
    {
        var watch = Stopwatch.StartNew();
        var run = Vlm.Run("embed", _folder["in"], "--output", _folder["whole"]);
        _undisturbed = watch.Elapsed;
        Assert.True(run.ExitCode == 0, run.ToString());
        var made = Embeddings.Read(_folder["whole"]);
        Assert.Equal(Enumerable.Range(0, Pictures).Where(i => i % DamagedEvery != DamagedEvery - 1).Select(i => _folder[$"in/{i:D5}.bmp"]), made.Inputs);
        return made;
    }

    /// <summary>Kills the command at moments of an undisturbed run, then lets it get through; returns how often it was killed, once at least.</summary>
    private int RunToItsEnd(string output, Random random, int most, params string[] more)
    {
        string[] anew = [];
        int kills = 0;
        while (true)
        {
            var watch = Stopwatch.StartNew();
            using var process = Process.Start(Vlm.Describe(Vlm.Host, [Vlm.Assembly, "embed", _folder["in"], "--output", output, .. more, .. anew]))!;
            if (kills < most && !process.WaitForExit(_undisturbed * (0.2 + (0.8 * random.NextDouble()))))
            {
                process.Kill();
                process.WaitForExit();
                (kills, anew) = (kills + 1, []);
                continue;
            }
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, process.StandardError.ReadToEnd());
            if (kills > 0) return kills;
            // The machine has become faster, so that it was never caught: once more.
            (_undisturbed, anew) = (watch.Elapsed, ["--overwrite"]);
        }
    }
}
