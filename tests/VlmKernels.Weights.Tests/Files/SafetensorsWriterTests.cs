using CsCheck;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>What the writer writes, the reader reads; what is wrong leaves no file behind.</summary>
public sealed class SafetensorsWriterTests : IDisposable
{
    private sealed record Entry(string Name, FileDType DType, long[] Shape, byte[] Bytes);

    private static readonly Gen<Entry> Entries =
        from name in Gen.String[0, 20].Where(text => text != "__metadata__" && !text.Any(char.IsSurrogate))
        from dtype in Gen.Enum<FileDType>()
        from shape in Gen.Long[0, 5].Array[0, 4]
        from bytes in Gen.Byte.Array[(int)shape.Aggregate((long)dtype.Size(), (a, b) => a * b)]
        select new Entry(name, dtype, shape, bytes);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Random_tensors_survive_the_round_trip() =>
        Gen.Select(Entries.Array[0, 12], Gen.Dictionary(Gen.String[Gen.Char.AlphaNumeric, 0, 8], Gen.String[Gen.Char.AlphaNumeric, 0, 8])[0, 4]).Sample((entries, metadata) =>
        {
            entries = [.. entries.DistinctBy(e => e.Name)];
            string path = _folder[Path.GetRandomFileName()];
            SafetensorsWriter.Write(path, entries.Select(e => TensorSource.FromBytes(e.Name, e.DType, e.Shape, e.Bytes)), metadata);
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.Equal(entries.Select(e => e.Name).Order(StringComparer.Ordinal), file.Tensors.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(metadata.OrderBy(p => p.Key, StringComparer.Ordinal), file.Metadata.OrderBy(p => p.Key, StringComparer.Ordinal));
            foreach (Entry entry in entries)
            {
                StoredTensor tensor = file.Tensors[entry.Name];
                byte[] bytes = new byte[tensor.ByteLength];
                tensor.ReadBytes(0, bytes);
                Assert.Equal(entry.DType, tensor.DType);
                Assert.Equal(entry.Shape, tensor.Shape);
                Assert.Equal(entry.Bytes, bytes);
            }
        }, iter: 300, threads: 1);

    [Fact]
    public void A_copied_file_is_the_same_file()
    {
        SafetensorsWriter.Write(_folder["a"], Mixed(), new Dictionary<string, string> { ["format"] = "pt" });
        using (SafetensorsFile file = SafetensorsFile.Open(_folder["a"]))
        {
            SafetensorsWriter.Write(_folder["b"], file.Tensors.Values.Select(t => TensorSource.Copy(t, t.Name)), file.Metadata);
        }
        Assert.Equal(File.ReadAllBytes(_folder["a"]), File.ReadAllBytes(_folder["b"]));
    }

    [Fact]
    public void Every_tensor_is_aligned_to_its_element()
    {
        SafetensorsWriter.Write(_folder["a"], Mixed());
        byte[] file = File.ReadAllBytes(_folder["a"]);
        int header = (int)BitConverter.ToInt64(file);
        Assert.Equal(0, header % 8);
        using var json = System.Text.Json.JsonDocument.Parse(file.AsMemory(8, header));
        foreach (var entry in json.RootElement.EnumerateObject())
        {
            Assert.True(FileDTypes.TryParse(entry.Value.GetProperty("dtype").GetString()!, out FileDType dtype));
            Assert.Equal(0, entry.Value.GetProperty("data_offsets")[0].GetInt64() % dtype.Size());
        }
    }

    [Fact]
    public void A_failed_write_keeps_the_old_file_and_leaves_no_other()
    {
        Handmade.Write(_folder["a"], "old");
        byte[] old = File.ReadAllBytes(_folder["a"]);
        Assert.Throws<InvalidOperationException>(() => SafetensorsWriter.Write(_folder["a"], [TensorSource.FromBytes("x", FileDType.F32, [2], new byte[7])]));
        Assert.Equal([_folder["a"]], Directory.GetFiles(_folder.Path));
        Assert.Equal(old, File.ReadAllBytes(_folder["a"]));
    }

    [Theory]
    [InlineData("x", "x")]
    [InlineData("__metadata__", "x")]
    public void Names_that_a_file_cannot_hold_are_refused(string first, string second) =>
        Assert.ThrowsAny<ArgumentException>(() => Handmade.Write(_folder["a"], first, second));

    // Not a row above: attributes replace half a surrogate pair.
    [Fact]
    public void Names_that_are_not_Unicode_are_refused() => Assert.ThrowsAny<ArgumentException>(() => Handmade.Write(_folder["a"], "x\ud800"));

    private static TensorSource[] Mixed() =>
    [
        .. Enum.GetValues<FileDType>().Select((dtype, i) => TensorSource.FromBytes($"t{i}", dtype, [3 + i], Enumerable.Range(0, (3 + i) * dtype.Size()).Select(b => (byte)b).ToArray())),
    ];
}
