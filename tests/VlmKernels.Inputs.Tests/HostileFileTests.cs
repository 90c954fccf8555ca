using CsCheck;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damaged and dishonest files: one clear exception, no crash, no large allocation.</summary>
public class HostileFileTests
{
    private static readonly Dictionary<string, Row> Rows = Tables.Rows("inputs/pipelines/golden.json", "decode", r => r.GetProperty("file").GetString()!);

    public static TheoryData<string> SmallFiles => [.. Rows.Keys.Where(k => k.StartsWith("data/edge-cases", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(SmallFiles))]
    public void A_damaged_picture_is_refused_or_decoded_but_never_crashes(string name)
    {
        byte[] file = File.ReadAllBytes(Rows[name].DataFile(name));
        var decoder = new SkiaImageDecoder();
        Gen.Select(Gen.Int[0, file.Length - 1], Gen.Byte, Gen.Int[0, file.Length]).Sample(damage =>
        {
            byte[] copy = file[..Math.Max(1, damage.Item3)];
            copy[damage.Item1 % copy.Length] = damage.Item2;
            try { decoder.Decode(copy, "damaged", new DecodeOptions(MaxPixels: 1 << 20)); }
            catch (ImageFormatException) { }
        }, iter: file.Length < 20_000 ? 100 : 5, threads: 1);
    }

    [Fact]
    public void A_picture_that_announces_too_many_pixels_is_refused_before_it_is_decoded()
    {
        byte[] png = [0x89, .. "PNG\r\n\x1a\n"u8, 0, 0, 0, 13, .. "IHDR"u8, 0, 1, 0, 0, 0, 1, 0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageFormatException>(() => new SkiaImageDecoder().Decode(png, "bomb.png"));
        Assert.Contains("bomb.png: 65536x65536 pixels announced", e.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Theory]
    [InlineData("", "an empty file")]
    [InlineData("II*\0", "TIFF")]
    [InlineData("%PDF-1.7", "PDF")]
    [InlineData("hello world", "bytes 68656C6C6F")]
    public void An_unknown_format_is_refused_by_name(string content, string named)
    {
        var e = Assert.Throws<ImageFormatException>(() => new SkiaImageDecoder().Decode(System.Text.Encoding.Latin1.GetBytes(content), "picture"));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_packed_list_of_merges_that_is_damaged_is_an_error()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        Assert.Throws<ConfigFormatException>(() => TokenizerLoader.LoadOpenAi(path));
    }
}
