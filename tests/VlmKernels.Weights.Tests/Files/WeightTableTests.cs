using System.Security.Cryptography;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>The safetensors rows of <c>inputs/weights/index.json</c>, whose bytes were hashed by the reference.</summary>
public class WeightTableTests
{
    public static TheoryData<string, string> Rows =>
    [
        .. Tables().SelectMany(table => Files(table).Select(row => row.GetProperty("file").GetString()!).Where(IsSafetensors)
            .Select(file => new TheoryDataRow<string, string>(table, file))),
    ];

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_loads_or_is_refused_as_it_says(string table, string name)
    {
        JsonElement row = Files(table).Single(r => r.GetProperty("file").GetString() == name);
        string path = Path.Combine(Path.GetDirectoryName(table)!, name);
        switch (row.GetProperty("expect").GetString())
        {
            case "tensors":
                using (Checkpoint checkpoint = Checkpoint.Open(path)) AssertTensors(row, checkpoint);
                break;
            case "refuse":
                Assert.Throws<WeightFileException>(() => Checkpoint.Open(path));
                break;
            default:
                // The only such row holds F4, which this reader refuses by name.
                Assert.Contains("'F4'", Assert.Throws<WeightFileException>(() => Checkpoint.Open(path)).Message, StringComparison.Ordinal);
                break;
        }
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

    [Fact]
    public void Rows_of_PyTorch_files_wait_for_their_reader()
    {
        int all = 0, read = 0;
        foreach (JsonElement row in Tables().SelectMany(Files))
        {
            all++;
            if (IsSafetensors(row.GetProperty("file").GetString()!)) read++;
        }
        Assert.InRange(read, 9, all);
        Assert.SkipWhen(read < all, $"{all - read} of {all} rows are PyTorch files, which this version does not read");
    }

    private static IEnumerable<string> Tables() => Fixtures.Find("inputs/weights/index.json");

    private static IEnumerable<JsonElement> Files(string table) => JsonDocument.Parse(File.ReadAllBytes(table)).RootElement.GetProperty("files").EnumerateArray();

    private static bool IsSafetensors(string file) =>
        file.EndsWith(".safetensors", StringComparison.Ordinal) || file.EndsWith(".safetensors.index.json", StringComparison.Ordinal);

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
        if (!row.TryGetProperty("metadata", out JsonElement metadata)) return;
        Assert.Equal(metadata.EnumerateObject().Select(p => (p.Name, p.Value.GetString()!)).Order(), checkpoint.Metadata.Select(p => (p.Key, p.Value)).Order());
    }
}
