using System.Text.Json;
using CsCheck;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Resizing, output sizes and crops against Pillow, torchvision and transformers: equal bytes.</summary>
public class ResizeTests
{
    private const string Table = "inputs/resize/golden.json";
    private static readonly Dictionary<string, Row> Resizes = Tables.Rows(Table, "resize", r => r.TryGetProperty("output", out JsonElement o) ? o.GetString()! : r.GetRawText());
    private static readonly Dictionary<string, Row> Sizes = Tables.Rows(Table, "output_size", r => $"{r.GetProperty("width")}x{r.GetProperty("height")} to {r.GetProperty("short")}");
    private static readonly Dictionary<string, Row> Crops = Tables.Rows(Table, "center_crop", r => r.GetProperty("input").GetString()!);

    public static TheoryData<string> ByteRows => [.. Resizes.Where(r => r.Value.Text("mode") != "F").Select(r => r.Key)];

    public static TheoryData<string> FloatRows => [.. Resizes.Where(r => r.Value.Text("mode") == "F").Select(r => r.Key)];

    public static TheoryData<string> SizeRows => [.. Sizes.Keys];

    public static TheoryData<string> CropRows => [.. Crops.Keys];

    [Theory, MemberData(nameof(ByteRows))]
    public void A_resize_gives_Pillow_13s_bytes(string name) =>
        Assert.Equal(Resizes[name].Tensor<byte>(Resizes[name].Text("output")), Resize(Resizes[name], ResizePassOrder.Pillow13));

    [Theory, MemberData(nameof(ByteRows))]
    public void A_resize_gives_Pillow_12s_bytes(string name)
    {
        Row row = Resizes[name];
        Assert.Equal(row.Tensor<byte>(row.Optional("output_pillow12") ?? row.Text("output")), Resize(row, ResizePassOrder.Pillow12));
    }

    [Theory, MemberData(nameof(FloatRows))]
    public void A_float_picture_is_resized_to_Pillows_values(string name)
    {
        Row row = Resizes[name];
        var filter = Enum.Parse<ResizeFilter>(row.Text("filter"), ignoreCase: true);
        float[] actual = PillowFloatResize.Resize(row.Tensor<float>(row.Text("input")), row.Int("in_width"), row.Int("in_height"), row.Int("width"), row.Int("height"), filter);
        foreach ((float expected, float got) in row.Tensor<float>(row.Text("output")).Zip(actual)) Assert.InRange(got - expected, -1e-4f * Math.Max(1, Math.Abs(expected)), 1e-4f * Math.Max(1, Math.Abs(expected)));
    }

    [Theory, MemberData(nameof(SizeRows))]
    public void The_output_size_follows_each_rule(string name)
    {
        Row row = Sizes[name];
        (int width, int height, int side) = (row.Int("width"), row.Int("height"), row.Int("short"));
        Assert.Equal(Pair("torchvision_hf"), PictureGeometry.ShortSide(width, height, side));
        Assert.Equal(Pair("mmcv_opencv"), PictureGeometry.ShortSideRounded(width, height, side));

        (int, int) Pair(string key) => (row.Json.GetProperty(key)[0].GetInt32(), row.Json.GetProperty(key)[1].GetInt32());
    }

    [Theory, MemberData(nameof(CropRows))]
    public void A_centre_crop_lies_where_each_convention_puts_it(string name)
    {
        Row row = Crops[name];
        byte[] input = row.Tensor<byte>(name);
        foreach ((string convention, CropRounding rounding) in new[] { ("torchvision", CropRounding.HalfEven), ("hf_pil", CropRounding.Floor), ("hf_fast", CropRounding.Truncate) })
        {
            byte[] expected = row.Tensor<byte>("out." + name["in.".Length..] + "." + convention);
            Assert.Equal(expected, Crop(input, row.Int("width"), row.Int("height"), row.Int("crop_width"), row.Int("crop_height"), rounding));
        }
    }

    [Fact]
    public void A_resize_to_the_same_size_changes_nothing() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[1, 20], Gen.Enum<ResizeFilter>()).SelectMany((w, h, f) => Gen.Byte.Array[w * h * 3].Select(p => (w, h, f, p))).Sample(c =>
        {
            RgbImage image = new(c.w, c.h, c.p);
            return PillowResize.Resize(image, c.w, c.h, c.f).Pixels.SequenceEqual(c.p);
        });

    [Fact]
    public void A_window_of_a_resize_equals_the_resize_then_cut() =>
        Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Int[1, 40], Gen.Enum<ResizeFilter>(), Gen.Enum<ResizePassOrder>()).SelectMany((w, h, w2, h2, f, order) =>
            Gen.Select(Gen.Byte.Array[w * h * 3], Gen.Int[0, w2 - 1], Gen.Int[0, h2 - 1]).Select((p, left, top) => (w, h, w2, h2, f, order, p, left, top))).Sample(c =>
        {
            RgbImage whole = PillowResize.Resize(new RgbImage(c.w, c.h, c.p), c.w2, c.h2, c.f, c.order);
            var window = new ResizeWindow(c.left, c.top, c.w2 - c.left, c.h2 - c.top);
            var part = new byte[window.Width * window.Height * 3];
            PillowResize.ResizeWindow(c.p, c.w, c.h, 3, part, c.w2, c.h2, window, c.f, c.order);
            for (int y = 0; y < window.Height; y++)
            {
                if (!whole.Pixels.Slice(((y + c.top) * c.w2 + c.left) * 3, window.Width * 3).SequenceEqual(part.AsSpan(y * window.Width * 3, window.Width * 3))) return false;
            }
            return true;
        });

    private static byte[] Resize(Row row, ResizePassOrder order)
    {
        string mode = row.Text("mode");
        int channels = mode switch { "RGB" => 3, "RGBA" or "CMYK" => 4, "LA" => 2, _ => 1 };
        ResizeFilter filter = mode is "P" or "1" ? ResizeFilter.Nearest : Enum.Parse<ResizeFilter>(row.Text("filter"), ignoreCase: true);
        byte[] source = row.Tensor<byte>(row.Text("input"));
        (int w, int h, int w2, int h2) = (row.Int("in_width"), row.Int("in_height"), row.Int("width"), row.Int("height"));
        var target = new byte[w2 * h2 * channels];
        if (mode is "RGBA" or "LA") PillowResize.ResizeWithAlpha(source, w, h, channels, target, w2, h2, filter, order);
        else PillowResize.Resize(source, w, h, channels, target, w2, h2, filter, order);
        return target;
    }

    private static byte[] Crop(byte[] input, int width, int height, int cropWidth, int cropHeight, CropRounding rounding)
    {
        int channels = input.Length / (width * height), left = PictureGeometry.CropStart(width, cropWidth, rounding), top = PictureGeometry.CropStart(height, cropHeight, rounding);
        var output = new byte[cropWidth * cropHeight * channels];
        for (int y = 0; y < cropHeight; y++)
        {
            for (int x = 0; x < cropWidth; x++)
            {
                int sx = x + left, sy = y + top;
                if (sx < 0 || sy < 0 || sx >= width || sy >= height) continue;
                input.AsSpan((sy * width + sx) * channels, channels).CopyTo(output.AsSpan((y * cropWidth + x) * channels));
            }
        }
        return output;
    }
}
