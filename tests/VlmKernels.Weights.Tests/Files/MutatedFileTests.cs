using System.Text;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>Good files damaged at random: they are read or refused, never anything else.</summary>
public sealed class MutatedFileTests : IDisposable
{
    private const int Rounds = 3000;

    // Bytes that keep a damaged header nearly well-formed, so that the damage reaches the later checks.
    private static readonly byte[] Likely = Encoding.ASCII.GetBytes("{}[]\",:0123456789-eE.\\u FIB_");

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_damaged_file_is_read_or_refused_within_bounded_memory(int seed)
    {
        byte[][] seeds = [.. GoodFiles().Select(File.ReadAllBytes)];
        var random = new Random(seed);
        int refused = 0;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] bytes = Damage(random, seeds[random.Next(seeds.Length)]);
            string path = _folder[$"{round % 16}.safetensors"];
            File.WriteAllBytes(path, bytes);
            long before = GC.GetAllocatedBytesForCurrentThread();
            if (!TryReadAll(path)) refused++;
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000 + 64L * bytes.Length);
        }
        // Both outcomes must occur, or the damage is not worth much.
        Assert.InRange(refused, Rounds / 4, Rounds - Rounds / 50);
    }

    [Fact]
    public void Every_truncation_of_a_good_file_is_refused()
    {
        byte[] bytes = File.ReadAllBytes(Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights", "metadata.safetensors"));
        for (int length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(_folder["short.safetensors"], bytes[..length]);
            Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(_folder["short.safetensors"]));
        }
    }

    private static IEnumerable<string> GoodFiles()
    {
        string tests = Path.Combine(Fixtures.Repository, "tests");
        string weights = Path.Combine(tests, "fixtures", "inputs", "weights");
        return
        [
            .. Directory.GetFiles(Path.Combine(tests, "data", "safetensors-hostile"), "ok-*.safetensors"), .. Directory.GetFiles(Path.Combine(weights, "sharded-safetensors"), "*.safetensors"),
            Path.Combine(weights, "metadata.safetensors"), Path.Combine(weights, "float8.safetensors"),
        ];
    }

    private static byte[] Damage(Random random, byte[] good)
    {
        byte[] bytes = [.. good];
        int header = Math.Min(bytes.Length, 8 + (int)BitConverter.ToInt64(bytes));
        for (int n = random.Next(1, 3); n > 0; n--)
        {
            // Mostly the header, at times its length, at times the data, which no damage makes unreadable.
            int at = random.Next(random.Next(8) switch { 0 => 8, < 6 => header, _ => bytes.Length });
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

    private static bool TryReadAll(string path)
    {
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (StoredTensor tensor in file.Tensors.Values) tensor.ReadFloats(0, new float[tensor.ElementCount]);
            return true;
        }
        catch (WeightFileException)
        {
            return false;
        }
    }
}
