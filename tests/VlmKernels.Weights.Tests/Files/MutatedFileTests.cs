using System.Text;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>Good files damaged at random: they are read or refused, never anything else.</summary>
public sealed class MutatedFileTests(ITestOutputHelper output) : IDisposable
{
    private const int DefaultRuns = 3000, Files = 16, MaxAllocated = 1 << 20, Prefix = 8;

    // Bytes that keep a damaged header nearly well-formed, so that the damage reaches the later checks.
    private static readonly byte[] Likely = Encoding.ASCII.GetBytes("{}[]\",:0123456789-eE.\\u FIB_");

    private static readonly string Weights = Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_damaged_file_is_read_or_refused_within_bounded_memory()
    {
        byte[][] good = [.. GoodFiles().Select(File.ReadAllBytes)];
        int read = 0, runs = 0;
        output.WriteLine(await Fuzz.Run("damaged safetensors file", DefaultRuns, MaxAllocated, seed =>
        {
            var random = new Random(seed);
            byte[] bytes = Damage(random, good[random.Next(good.Length)], good);
            string path = _folder[$"{seed % Files}.safetensors"];
            File.WriteAllBytes(path, bytes);
            runs++;
            if (!Reads(path)) return false;
            read++;
            return true;
        }));
        // Both outcomes must occur, or the damage is not worth much.
        Assert.InRange(read, runs / 50, runs - (runs / 4));
    }

    [Fact]
    public async Task A_damaged_index_or_shard_is_read_or_refused_within_bounded_memory()
    {
        var good = Directory.GetFiles(Path.Combine(Weights, "sharded-safetensors")).Order(StringComparer.Ordinal).Select(f => (Path: _folder[Path.GetFileName(f)], Bytes: File.ReadAllBytes(f))).ToArray();
        foreach (var (path, bytes) in good) File.WriteAllBytes(path, bytes);
        var index = good.Single(f => f.Path.EndsWith(".json", StringComparison.Ordinal));
        byte[][] all = [.. good.Select(f => f.Bytes)];
        output.WriteLine(await Fuzz.Run("damaged sharded checkpoint", DefaultRuns, MaxAllocated, seed =>
        {
            var random = new Random(seed);
            // Mostly the index: shards are damaged one at a time above.
            var (path, bytes) = random.Next(4) > 0 ? index : good[random.Next(good.Length)];
            File.WriteAllBytes(path, path == index.Path ? DamageJson(random, [.. bytes], all) : Damage(random, bytes, all));
            bool read = Reads(index.Path);
            File.WriteAllBytes(path, bytes);
            return read;
        }));
    }

    [Fact]
    public void Every_truncation_of_a_good_file_is_refused()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Weights, "metadata.safetensors"));
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(_folder["short.safetensors"], bytes[..length]);
            Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(_folder["short.safetensors"]));
        }
    }

    private static IEnumerable<string> GoodFiles()
    {
        string hostile = Path.Combine(Fixtures.Repository, "tests", "data", "safetensors-hostile");
        return
        [
            .. Directory.GetFiles(hostile, "ok-*.safetensors"), .. Directory.GetFiles(Path.Combine(Weights, "sharded-safetensors"), "*.safetensors"),
            Path.Combine(Weights, "metadata.safetensors"), Path.Combine(Weights, "float8.safetensors"),
        ];
    }

    private static byte[] Damage(Random random, byte[] good, byte[][] all)
    {
        byte[] bytes = [.. good];
        int header = Math.Min(bytes.Length, Prefix + (int)BitConverter.ToInt64(bytes));
        return random.Next(8) switch
        {
            0 => ByteDamage.Apply(bytes, all, random),
            < 4 => WithHeader(DamageJson(random, bytes[Prefix..header], all), bytes[header..]),
            _ => DamageCharacters(random, bytes, header),
        };
    }

    private static byte[] DamageJson(Random random, byte[] json, byte[][] all)
    {
        for (int n = random.Next(1, 4); n > 0 && json.Length > 0; n--) json = random.Next(8) == 0 ? ByteDamage.Apply(json, all, random) : JsonDamage.Apply(json, random);
        return json;
    }

    private static byte[] WithHeader(byte[] header, byte[] data) => [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. data];

    private static byte[] DamageCharacters(Random random, byte[] bytes, int header)
    {
        for (int n = random.Next(1, 3); n > 0; n--)
        {
            // Mostly the header, at times its length, at times the data, which no damage makes unreadable.
            int at = random.Next(random.Next(8) switch { 0 => Prefix, < 6 => header, _ => bytes.Length });
            switch (random.Next(5))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: bytes[at] = (byte)random.Next(256); break;
                default: bytes[at] = Likely[random.Next(Likely.Length)]; break;
            }
        }
        return random.Next(8) switch
        {
            0 => bytes[..random.Next(bytes.Length)],
            1 => [.. bytes, .. new byte[random.Next(1, 20)]],
            _ => bytes,
        };
    }

    private static bool Reads(string path)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            foreach (StoredTensor tensor in checkpoint.Tensors.Values) tensor.ReadFloats(0, new float[tensor.ElementCount]);
            return true;
        }
        catch (WeightFileException)
        {
            return false;
        }
    }
}
