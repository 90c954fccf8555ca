using System.Globalization;
using System.Text;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Writes docs/decoding.md from the decode table, when VLMKERNELS_DECODING_DOCUMENT names the file to write.</summary>
public class DecodingDocument
{
    private const string Variable = "VLMKERNELS_DECODING_DOCUMENT";

    private const string Head = """
        # Decoding

        Pictures are decoded to the pixels of Pillow 12 and 13. PNG and GIF are read by code of this repository; JPEG, WebP and BMP by SkiaSharp's codecs
        (libjpeg-turbo and libwebp, as in Pillow). A file is decoded in its own pixel mode (`NativeImage`: grey, 16 bit grey, palette, RGB, RGBA, CMYK, …)
        and converted to RGB afterwards with Pillow's arithmetic, because some reference pipelines resize before they convert.

        What is refused: a file that is damaged or cut short, announces more than `DecodeOptions.MaxPixels` pixels (default: Pillow's 178,956,970), or has more than
        `DecodeOptions.MaxFileBytes` bytes (default: 256 MiB). All of them give an `ImageFormatException` that names the file.

        What differs from Pillow by design: TIFF and ICO are refused; a JPEG of four components that is progressive, subsampled or in several scans is
        turned into RGB by the codec at once and has no CMYK mode.

        ## Pictures whose bytes are not Pillow's

        This page is written by a test that decodes every picture of `inputs/pipelines/golden.json`:

        ```
        VLMKERNELS_DECODING_DOCUMENT=$PWD/docs/decoding.md dotnet test --project tests/VlmKernels.Inputs.Tests -c Release -- --filter-class "*DecodingDocument"
        ```

        The table holds a hash, 8 x 8 pixels and the mean of Pillow's RGB. Differences are in grey levels: the largest and the mean on the 8 x 8 pixels, and the
        largest difference of a channel's mean over the whole picture.

        """;

    // Found by looking at the files; the program cannot.
    private static readonly Dictionary<string, string> Reasons = new()
    {
        ["data/edge-cases/pillow/hopper_bad_exif.jpg"] = "its coded data are damaged, and decoders differ in what they put in the damaged stretches",
    };

    private static readonly Dictionary<string, Row> Rows = Tables.Rows("inputs/pipelines/golden.json", "decode", r => r.GetProperty("file").GetString()!);

    [Fact]
    public void The_document_lists_every_picture_that_differs()
    {
        string? path = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(path), $"set {Variable} to write it");
        var text = new StringBuilder(Head);
        var lines = new List<string>();
        int decoded = 0, absent = 0;
        foreach (Row row in Rows.Values.Where(r => r.Json.TryGetProperty("sha256_rgb", out _) && r.Text("format") != "TIFF").OrderBy(r => r.Name, StringComparer.Ordinal))
        {
            if (!Exists(row)) absent++;
            else if (Difference(row) is { } line) lines.Add(line);
            else decoded++;
        }
        text.AppendLine().Append(CultureInfo.InvariantCulture, $"{decoded + lines.Count} pictures decoded, {decoded} equal in every byte, {lines.Count} not");
        text.AppendLine(absent > 0 ? string.Create(CultureInfo.InvariantCulture, $"; {absent} of the table were not at hand.") : ".").AppendLine();
        text.AppendLine("| picture | format | largest | mean | mean of the picture | why |").AppendLine("| --- | --- | ---: | ---: | ---: | --- |");
        foreach (string line in lines) text.AppendLine(line);
        File.WriteAllText(path!, text.ToString());
    }

    private static bool Exists(Row row) => VlmKernels.Testing.Fixtures.Roots.Prepend(row.Root).Any(r => VlmKernels.Testing.Fixtures.Data(r, row.Name) is not null);

    private static string? Difference(Row row)
    {
        string file = row.DataFile(row.Name);
        RgbImage image = new SkiaImageDecoder().DecodeFile(file, new DecodeOptions(AlphaRule.Drop, false));
        if (Tables.Sha256(image.Pixels) == row.Text("sha256_rgb")) return null;
        byte[] grid = Convert.FromHexString(row.Text("grid8_rgb_hex"));
        int[] differences = [.. Enumerable.Range(0, grid.Length).Select(i => Math.Abs(grid[i] - GridValue(image, i)))];
        double ofMeans = Enumerable.Range(0, 3).Max(c => Math.Abs(row.Json.GetProperty("mean_rgb")[c].GetDouble() - Mean(image, c)));
        return string.Create(CultureInfo.InvariantCulture, $"| `{row.Name["data/".Length..]}` | {row.Text("format")} | {differences.Max()} | {differences.Average():F3} | {ofMeans:F4} | {Reasons.GetValueOrDefault(row.Name, "not known")} |");
    }

    private static int GridValue(RgbImage image, int i)
    {
        int cell = i / 3, y = (int)((cell / 8 + 0.5) * image.Height / 8), x = (int)((cell % 8 + 0.5) * image.Width / 8);
        return image.Pixels[(y * image.Width + x) * 3 + i % 3];
    }

    private static double Mean(RgbImage image, int channel)
    {
        long sum = 0;
        for (int i = channel; i < image.Pixels.Length; i += 3) sum += image.Pixels[i];
        return sum / ((double)image.Width * image.Height);
    }
}
