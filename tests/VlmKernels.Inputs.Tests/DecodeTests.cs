using System.Globalization;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Every picture of the decode table against Pillow's pixels.</summary>
public class DecodeTests
{
    private static readonly Dictionary<string, Row> Rows = Tables.Rows("inputs/pipelines/golden.json", "decode", r => r.GetProperty("file").GetString()!);

    public static TheoryData<string> Pictures => [.. Rows.Where(r => r.Value.Json.TryGetProperty("sha256_rgb", out _) && r.Value.Text("format") != "TIFF").Select(r => r.Key)];

    public static TheoryData<string> BadFiles => [.. Rows.Where(r => !r.Value.Json.TryGetProperty("sha256_rgb", out _) || r.Value.Text("format") == "TIFF").Select(r => r.Key)];

    [Theory, MemberData(nameof(Pictures))]
    public void A_picture_decodes_to_Pillows_pixels(string name)
    {
        Row row = Rows[name];
        RgbImage image = Decode(row, AlphaRule.Drop, false);
        Assert.Equal((row.Int("width"), row.Int("height")), (image.Width, image.Height));
        RequireSame(row, "sha256_rgb", image);
    }

    [Theory, MemberData(nameof(Pictures))]
    public void Transparency_is_composited_on_white(string name)
    {
        Row row = Rows[name];
        bool transparent = row.Optional("sha256_rgb_on_white") is not null;
        RequireSame(row, transparent ? "sha256_rgb_on_white" : "sha256_rgb", Decode(row, AlphaRule.OnWhite, false));
    }

    [Theory, MemberData(nameof(Pictures))]
    public void The_EXIF_orientation_is_applied(string name)
    {
        Row row = Rows[name];
        bool turned = row.Optional("sha256_rgb_exif_applied") is not null;
        RequireSame(row, turned ? "sha256_rgb_exif_applied" : "sha256_rgb", Decode(row, AlphaRule.Drop, true));
    }

    [Theory, MemberData(nameof(Pictures))]
    public void A_picture_keeps_the_mode_and_the_pixels_of_its_file(string name)
    {
        Row row = Rows[name];
        NativeImage image = new SkiaImageDecoder().DecodeNativeFile(row.DataFile(name), new DecodeOptions(ApplyOrientation: false));
        Assert.Equal(row.Text("mode"), PillowModes[image.Mode]);
        // A grey JPEG may differ by rounding, which the test of its RGB pixels judges.
        bool exact = row.Text("format") != "JPEG" || image.Mode != PixelMode.Grey;
        if (exact && row.Optional("sha256_native") is { } hash) Assert.Equal(hash, Tables.Sha256(image.Pixels));
    }

    private static readonly Dictionary<PixelMode, string> PillowModes = new()
    {
        [PixelMode.Bilevel] = "1", [PixelMode.Grey] = "L", [PixelMode.Grey16] = "I;16", [PixelMode.GreyAlpha] = "LA",
        [PixelMode.Indexed] = "P", [PixelMode.Rgb] = "RGB", [PixelMode.Rgba] = "RGBA", [PixelMode.Cmyk] = "CMYK",
    };

    [Theory, MemberData(nameof(BadFiles))]
    public void A_bad_file_is_refused_and_named(string name)
    {
        var e = Assert.Throws<ImageFormatException>(() => Decode(Rows[name], AlphaRule.Drop, false));
        Assert.Contains(Path.GetFileName(name), e.Message, StringComparison.Ordinal);
    }

    private static RgbImage Decode(Row row, AlphaRule alpha, bool orientation) =>
        new SkiaImageDecoder().DecodeFile(row.DataFile(row.Text("file")), new DecodeOptions(alpha, orientation));

    // Lossless formats must agree bit for bit; JPEG and WebP decoders may differ by rounding, half a level on average.
    private static void RequireSame(Row row, string key, RgbImage image)
    {
        if (Tables.Sha256(image.Pixels) == row.Text(key)) return;
        if (row.Text("format") is not ("JPEG" or "WEBP") || key != "sha256_rgb") Assert.Fail($"{row.Name}: {key} differs");
        byte[] grid = Convert.FromHexString(row.Text("grid8_rgb_hex"));
        double sum = 0;
        for (int i = 0; i < 64; i++)
        {
            int y = (int)((i / 8 + 0.5) * image.Height / 8), x = (int)((i % 8 + 0.5) * image.Width / 8);
            for (int c = 0; c < 3; c++) sum += Math.Abs(grid[i * 3 + c] - image.Pixels[(y * image.Width + x) * 3 + c]);
        }
        Assert.True(sum / grid.Length <= 0.5, string.Create(CultureInfo.InvariantCulture, $"{row.Name}: mean difference {sum / grid.Length} on the grid"));
    }
}
