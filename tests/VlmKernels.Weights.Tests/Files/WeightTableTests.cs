using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>The rows of <c>inputs/weights/index.json</c>, whose bytes were hashed by the reference: safetensors and PyTorch files, good and hostile ones.</summary>
public class WeightTableTests
{
    private const long MostAllocated = 64 << 20;

    // The only hang is one that never ends; a slow machine must not fail here.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

    public static TheoryData<string, string> Rows => [.. Tables().SelectMany(table => Files(table).Select(row => new TheoryDataRow<string, string>(table, row.GetProperty("file").GetString()!)))];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_loads_or_is_refused_as_it_says(string table, string name)
    {
        JsonElement row = Files(table).Single(r => r.GetProperty("file").GetString() == name);
        string path = Path.Combine(Path.GetDirectoryName(table)!, name);
        long before = GC.GetAllocatedBytesForCurrentThread(), started = Stopwatch.GetTimestamp();
        WeightFileException? refusal = Refusal(row, path);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, MostTime);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostAllocated);
        string expect = row.GetProperty("expect").GetString()!;
        Assert.Contains(expect, new[] { "tensors", "refuse", "tensors-or-refuse" });
        if (expect == "tensors") Assert.Null(refusal);
        if (expect == "refuse") Assert.NotNull(refusal);
        if (refusal is not null) Assert.StartsWith(Path.GetDirectoryName(path)!, refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("reduce-os-system.pt", "'archive/data.pkl': expected nothing that could run code, found 'posix.system' at byte ")]
    [InlineData("reduce-os-system-protocol4.pt", "'posix.system' at byte ")]
    [InlineData("global-nt-system.pt", "'nt.system' at byte ")]
    [InlineData("inst-os-system.pt", "'os.system' at byte ")]
    [InlineData("eval.pt", "'__builtin__.eval' at byte ")]
    [InlineData("getattr-chain.pt", "'__builtin__.getattr' at byte 169")]
    [InlineData("extension-registry.pt", "opcode 0x82 at byte ")]
    [InlineData("legacy-os-system.pt", "'pickle': expected nothing that could run code, found 'posix.system' at byte ")]
    [InlineData("bare-pickle.pt", "'posix.system' at byte 13")]
    [InlineData("global-not-a-class-in-torch.pt", "'torch.hub.load' at byte 13")]
    [InlineData("wrong-crc.pt", "'archive/data/0': expected bytes with the CRC-32 ")]
    [InlineData("storage-missing.pt", "'w': expected storage ")]
    [InlineData("shape-2-pow-40-stride-0.pt", "'w': expected no more than the ")]
    [InlineData("stride-beyond-storage.pt", "'w': expected a view inside storage '0' of 4 elements, found ")]
    [InlineData("no-data-pkl.pt", "expected a PyTorch archive: one folder with data.pkl, found none")]
    [InlineData("git-lfs-pointer.bin", "found a git-lfs pointer")]
    [InlineData("html-page.bin", "found markup")]
    [InlineData("truncated-zip.pt", "the file may be cut short")]
    [InlineData("legacy-truncated.pt", "expected its elements of ")]
    [InlineData("legacy-wrong-magic.pt", "begins with its magic number")]
    public void A_hostile_file_is_refused_by_what_is_wrong_with_it(string name, string words)
    {
        string path = Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights", "hostile", name);
        Assert.Contains(words, Assert.Throws<WeightFileException>(() => Read(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Float8_codes_have_the_values_of_the_reference()
    {
        foreach (string folder in Tables().Select(table => Path.GetDirectoryName(table)!))
        {
            using SafetensorsFile codes = SafetensorsFile.Open(Path.Combine(folder, "float8.safetensors"));
            using SafetensorsFile values = SafetensorsFile.Open(Path.Combine(folder, "float8-as-f32.safetensors"));
            foreach (string name in new[] { "f8_e4m3", "f8_e5m2", "f8_e8m0" })
            {
                float[] expected = new float[256], found = new float[256];
                values.Tensors[name].ReadFloats(0, expected);
                codes.Tensors[name].ReadFloats(0, found);
                Assert.All(Enumerable.Range(0, 256), i => Assert.True(expected[i].Equals(found[i]) && float.IsNegative(expected[i]) == float.IsNegative(found[i]) || float.IsNaN(expected[i]) && float.IsNaN(found[i]),
                    $"{name} {i:x2}: expected {expected[i]}, found {found[i]}"));
            }
        }
    }

    private static IEnumerable<string> Tables() => Fixtures.Find("inputs/weights/index.json");

    private static JsonElement.ArrayEnumerator Files(string table) => JsonDocument.Parse(File.ReadAllBytes(table)).RootElement.GetProperty("files").EnumerateArray();

    private static WeightFileException? Refusal(JsonElement row, string path)
    {
        try
        {
            using Checkpoint checkpoint = Checkpoint.Open(path);
            if (row.TryGetProperty("tensors", out _)) AssertTensors(row, checkpoint);
            else Read(path);
            return null;
        }
        catch (WeightFileException e)
        {
            return e;
        }
    }

    private static void Read(string path)
    {
        using Checkpoint checkpoint = Checkpoint.Open(path);
        foreach (StoredTensor tensor in checkpoint.Tensors.Values) tensor.ReadBytes(0, new byte[tensor.ByteLength]);
    }

    private static void AssertTensors(JsonElement row, Checkpoint checkpoint)
    {
        JsonElement expected = row.GetProperty("tensors");
        Assert.Equal(expected.EnumerateObject().Select(p => p.Name).Order(), checkpoint.Tensors.Keys.Order());
        foreach (JsonProperty tensor in expected.EnumerateObject())
        {
            StoredTensor found = checkpoint.Tensors[tensor.Name];
            byte[] bytes = new byte[found.ByteLength];
            found.ReadBytes(0, bytes);
            Assert.Equal(tensor.Value.GetProperty("dtype").GetString(), found.DType.Name());
            Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()), found.Shape);
            Assert.Equal(tensor.Value.GetProperty("sha256").GetString(), Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
        if (row.TryGetProperty("aliases", out JsonElement aliases))
        {
            Assert.Equal(aliases.EnumerateArray().Select(Names), checkpoint.Aliases.Select(names => string.Join(' ', names)));
        }
        if (!row.TryGetProperty("metadata", out JsonElement metadata)) return;
        Assert.Equal(metadata.EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)).Order(), checkpoint.Metadata.Select(p => (p.Key, p.Value)).Order());
    }

    private static string Names(JsonElement names) => string.Join(' ', names.EnumerateArray().Select(name => name.GetString()));
}
