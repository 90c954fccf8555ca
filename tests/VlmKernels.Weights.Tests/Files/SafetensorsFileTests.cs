using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>The rules of the format, one by one.</summary>
public sealed class SafetensorsFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Published(string prefix) =>
        [.. Directory.GetFiles(Folder, prefix + "*.safetensors").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    private static string Folder => Path.Combine(Fixtures.Repository, "tests", "data", "safetensors-hostile");

    [Theory]
    [MemberData(nameof(Published), "bad-")]
    public void A_published_bad_file_is_refused(string name)
    {
        string path = Path.Combine(Folder, name);
        var fault = Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path + ": ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("expected ", fault.Message, StringComparison.Ordinal);
        Assert.Contains(", found ", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Published), "ok-")]
    public void A_published_odd_file_is_read(string name)
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Folder, name));
        foreach (StoredTensor tensor in file.Tensors.Values)
        {
            long[] values = new long[tensor.ElementCount];
            tensor.ReadInt64s(0, values);
            Assert.All(values, v => Assert.Equal(0, v));
        }
        string found = string.Join("; ", file.Tensors.Values);
        Assert.Equal(name switch { "ok-basic.safetensors" => "'test' I32 [2, 2]", "ok-scalar.safetensors" => "'test' I32 []", "ok-zero-sized.safetensors" => "'test' I32 [2, 0]", _ => "" }, found);
    }

    // Header, bytes of data behind it, and words of the message.
    [Theory]
    [InlineData("", 0, "one JSON object")]
    [InlineData("[]", 0, "one JSON object")]
    [InlineData("null", 0, "one JSON object")]
    [InlineData("{}{}", 0, "one JSON object")]
    [InlineData("{},", 0, "one JSON object")]
    [InlineData("{} /* note */", 0, "one JSON object")]
    [InlineData("{'a':1}", 0, "one JSON object")]
    [InlineData("{}\0", 0, "one JSON object")]
    [InlineData("""{"a":1}""", 0, "'a': expected an object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}""", 1, "one JSON object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "'a': expected every name once")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\u0061":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "'a': expected every name once")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}""", 1, "each once")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"strides":[1]}}""", 1, "found another 'strides'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1]}}""", 1, "lacks one")]
    [InlineData("""{"a":{"shape":[1],"data_offsets":[0,1]}}""", 1, "lacks one")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0]}}""", 1, "lacks one")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}""", 1, "at most 2 numbers")]
    [InlineData("""{"a":{"dtype":"U8","shape":1,"data_offsets":[0,1]}}""", 1, "an array as shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[[1]],"data_offsets":[0,1]}}""", 1, "whole numbers in shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":["1"],"data_offsets":[0,1]}}""", 1, "whole numbers in shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}""", 1, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1e0],"data_offsets":[0,1]}}""", 1, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-1],"data_offsets":[0,1]}}""", 1, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,1]}}""", 1, "whole numbers from 0")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "fits 63 bits")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]}}""", 0, "fits 63 bits")]
    [InlineData("""{"a":{"dtype":3,"shape":[1],"data_offsets":[0,1]}}""", 1, "a string as dtype")]
    [InlineData("""{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", 4, "found 'f32'")]
    [InlineData("""{"a":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}}""", 1, "found 'F4'")]
    [InlineData("""{"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]}}""", 8, "found 'C64'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,0]}}""", 1, "ascending")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1]}}""", 1, "2 bytes for U8 [2]")]
    [InlineData("""{"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}""", 2, "a hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "an overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "an overlap")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1, "an end within the 1 bytes")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 3, "the file to end with 'a'")]
    [InlineData("{}", 1, "the file to end with the header")]
    [InlineData("""{"__metadata__":null}""", 0, "'__metadata__': expected an object of strings")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "a string at 'a'")]
    [InlineData("""{"__metadata__":{"a":{}}}""", 0, "a string at 'a'")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "'a' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{}}""", 0, "every name once")]
    [InlineData("""{"__metadata__":{"a":"\ud800"}}""", 0, "expected text")]
    [InlineData("""{"\udc00":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1, "expected text")]
    public void A_broken_rule_is_named(string header, int dataLength, string words)
    {
        string path = _folder["broken.safetensors"];
        File.WriteAllBytes(path, Handmade.Bytes(header, dataLength));
        var fault = Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(path));
        Assert.Contains(words, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":{"data_offsets":[0,1],"shape":[1],"dtype":"U8"}}""", 1)]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 3)]
    [InlineData("""{"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"c":{"dtype":"U8","shape":[0,9],"data_offsets":[2,2]}}""", 2)]
    [InlineData("""{"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"caf\u00e9 \ud83d\ude00":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""", 5)]
    [InlineData("""{"__metadata__":{}}   """, 0)]
    public void What_the_rules_allow_is_read(string header, int dataLength)
    {
        string path = _folder["odd.safetensors"];
        File.WriteAllBytes(path, Handmade.Bytes(header, dataLength));
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(dataLength, file.Tensors.Values.Sum(t => t.ByteLength));
    }

    [Fact]
    public void Deep_nesting_is_refused()
    {
        string path = _folder["deep.safetensors"];
        File.WriteAllBytes(path, Handmade.Bytes("{\"a\":" + new string('[', 1_000_000)));
        Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(path));
    }

    [Fact]
    public void A_shape_of_a_million_ones_costs_nothing()
    {
        string path = _folder["wide.safetensors"];
        string ones = string.Join(',', Enumerable.Repeat('1', 1_000_000));
        File.WriteAllBytes(path, Handmade.Bytes($$"""{"a":{"dtype":"U8","shape":[{{ones}}],"data_offsets":[0,1]} }""", 1));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(path));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 200_000);
    }

    [Fact]
    public void Twenty_thousand_tensors_are_opened_in_one_go()
    {
        string path = _folder["many.safetensors"];
        Handmade.Write(path, [.. Enumerable.Range(0, 20_000).Select(i => $"layers.{i}.weight")]);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(20_000, file.Tensors.Count);
    }

    [Fact]
    public void A_hostile_name_is_made_safe_to_print()
    {
        string path = _folder["escape.safetensors"];
        File.WriteAllBytes(path, Handmade.Bytes($$"""{"\u001b[31m{{new string('x', 10_000)}}": 1 }"""));
        var fault = Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(path));
        Assert.DoesNotContain('\u001b', fault.Message);
        Assert.InRange(fault.Message.Length, 0, 600);
        Assert.Equal(10_005, fault.Key!.Length);
    }

    [Fact]
    public void A_missing_file_and_a_folder_are_refused_by_the_same_exception()
    {
        Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(_folder["absent.safetensors"]));
        Assert.Throws<WeightFileException>(() => SafetensorsFile.Open(_folder.Path));
    }
}
