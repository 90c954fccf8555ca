using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damaged and dishonest files: one clear exception, no crash, no large allocation.</summary>
public class HostileFileTests
{
    [Fact]
    public void A_picture_that_announces_too_many_pixels_is_refused_before_it_is_decoded()
    {
        byte[] png = [0x89, .. "PNG\r\n\x1a\n"u8, 0, 0, 0, 13, .. "IHDR"u8, 0, 1, 0, 0, 0, 1, 0, 0, 8, 2, 0, 0, 0, 0xE3, 0xE6, 0xA7, 0xB4];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageFormatException>(() => new SkiaImageDecoder().Decode(png, "bomb.png"));
        Assert.Contains("bomb.png: 65536x65536 pixels announced", e.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void A_small_file_that_announces_many_pixels_gets_no_memory_for_them()
    {
        byte[] png = [0x89, .. "PNG\r\n\x1a\n"u8, 0, 0, 0, 13, .. "IHDR"u8, 0, 0, 0x30, 0, 0, 0, 0x30, 0, 8, 2, 0, 0, 0, 0x34, 0xE0, 0x05, 0x0B, 0, 0, 0, 0, .. "IDAT"u8, 0, 0, 0, 0];
        long before = GC.GetAllocatedBytesForCurrentThread();
        var e = Assert.Throws<ImageFormatException>(() => new SkiaImageDecoder().Decode(png, "hollow.png"));
        Assert.Contains("hollow.png: truncated PNG: 0 packed bytes for 12288x12288 pixels", e.Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void A_file_above_the_bound_is_refused_before_it_is_read()
    {
        string path = Path.GetTempFileName();
        File.WriteAllBytes(path, new byte[2000]);
        var e = Assert.Throws<ImageFormatException>(() => new SkiaImageDecoder().DecodeFile(path, new DecodeOptions(MaxFileBytes: 1999)));
        Assert.Contains($"{path}: a file of more than 1999 bytes", e.Message, StringComparison.Ordinal);
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
