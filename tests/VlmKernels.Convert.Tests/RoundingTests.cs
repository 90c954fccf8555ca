using System.Runtime.InteropServices;
using System.Text.Json;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Convert.Tests;

public class RoundingTests
{
    public static TheoryData<string, string, FileDType> Goldens =>
    [
        .. Fixtures.Find("inputs/numerics/golden.json").SelectMany(path => new[] { ("to_f16", FileDType.F16), ("to_bf16", FileDType.BF16) }.Select(row => new TheoryDataRow<string, string, FileDType>(path, row.Item1, row.Item2))),
    ];

    [Theory]
    [MemberData(nameof(Goldens))]
    public void Values_round_to_the_bits_of_the_reference(string golden, string call, FileDType dtype)
    {
        using JsonDocument table = JsonDocument.Parse(File.ReadAllBytes(golden));
        JsonElement row = table.RootElement.GetProperty("calls").EnumerateArray().Single(c => c.GetProperty("name").GetString() == call);
        using SafetensorsFile file = SafetensorsFile.Open(Path.ChangeExtension(golden, ".safetensors"));
        StoredTensor inputs = file.Tensors[row.GetProperty("inputs").EnumerateObject().First().Value.GetString()!], bits = file.Tensors[row.GetProperty("outputs").GetProperty("bits").GetString()!];
        float[] values = new float[inputs.ElementCount];
        long[] expected = new long[bits.ElementCount];
        inputs.ReadFloats(0, values);
        bits.ReadInt64s(0, expected);
        ushort[] found = new ushort[values.Length];
        int overflows = Rounding.Encode(dtype, values, MemoryMarshal.AsBytes(found.AsSpan()));
        Assert.Equal(expected.Select(e => Code((ushort)e)), found.Select(Code));
        float[] rounded = [.. values];
        Rounding.Round(dtype, rounded);
        Assert.Equal(overflows, values.Zip(rounded).Count(pair => float.IsFinite(pair.First) && float.IsInfinity(pair.Second)));

        // torch's vector code writes another NaN than its scalar code: which one it is does not count.
        int Code(ushort bits) => (bits & 0x7FFF) > (dtype == FileDType.F16 ? 0x7C00 : 0x7F80) ? -1 : bits;
    }

    [Theory]
    [InlineData("2GB", 2_000_000_000)]
    [InlineData("1.5kb", 1500)]
    [InlineData("500MiB", 500L << 20)]
    [InlineData("77", 77)]
    public void A_size_is_read(string text, long bytes) => Assert.Equal(bytes, SizeText.Parse("--shard-size", text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("GB")]
    [InlineData("-2GB")]
    [InlineData("2 parsecs")]
    [InlineData("999999999TB")]
    public void Another_text_is_refused(string text) => Assert.Contains("--shard-size: expected a size such as 2GB", Assert.Throws<ArgumentException>(() => SizeText.Parse("--shard-size", text)).Message, StringComparison.Ordinal);
}
