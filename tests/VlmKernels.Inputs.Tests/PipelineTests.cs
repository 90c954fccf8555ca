using System.Runtime.InteropServices;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Whole preprocessing of real pictures against transformers, openai/CLIP and open_clip.</summary>
public class PipelineTests
{
    private const string Table = "inputs/pipelines/golden.json";

    private static readonly Dictionary<string, Row> Calls = Tables.Rows(Table, "calls", r =>
        $"{r.GetProperty("pipeline")} of {r.GetProperty("picture")}{(r.TryGetProperty("exif_applied", out _) ? " turned" : "")}");

    private static readonly Dictionary<string, Row> Decodes = Tables.Rows(Table, "decode", r => r.GetProperty("file").GetString()!);

    public static TheoryData<string> Names => [.. Calls.Keys];

    [Theory, MemberData(nameof(Names))]
    public void A_picture_becomes_the_references_floats(string name)
    {
        Row row = Calls[name];
        ImagePipeline pipeline = For(row);
        NativeImage image = Load(row, pipeline);
        (int width, int height) = pipeline.OutputSize(image.Width, image.Height);
        Assert.Equal(row.Json.GetProperty("shape").EnumerateArray().Select(e => e.GetInt32()), [pipeline.OutputChannels(image), height, width]);
        float[] tensor = pipeline.ToTensor(image);
        if (Tables.Sha256(MemoryMarshal.AsBytes<float>(tensor)) == (row.Optional("sha256_f32_pillow12") ?? row.Text("sha256_f32"))) return;
        Assert.True(Decodes[row.Text("picture")].Text("format") is "JPEG" or "WEBP", "the floats differ");
        RequireCloseGrid(row, tensor, width, height);
    }

    [Theory, MemberData(nameof(Names))]
    public void The_bytes_before_scaling_are_the_references(string name)
    {
        Row row = Calls[name];
        ImagePipeline pipeline = For(row);
        NativeImage image = Load(row, pipeline);
        byte[] planes = Planes(pipeline, image);
        if (Decodes[row.Text("picture")].Text("format") is "JPEG" or "WEBP" && Tables.Sha256(planes) != row.Text("sha256_u8")) return; // judged by the grid above
        Assert.Equal(row.Optional("sha256_u8_pillow12") ?? row.Text("sha256_u8"), Tables.Sha256(planes));
    }

    public static TheoryData<string> OlderNames => [.. Calls.Where(c => c.Value.Json.TryGetProperty("transformers_4_57", out JsonElement older) && older.TryGetProperty("sha256_u8", out _)).Select(c => c.Key)];

    [Theory, MemberData(nameof(OlderNames))]
    public void Dropping_transparency_gives_the_bytes_of_transformers_4(string name)
    {
        Row row = Calls[name];
        ImagePipeline pipeline = For(row) with { Alpha = AlphaRule.Drop };
        Assert.Equal(row.Json.GetProperty("transformers_4_57").GetProperty("sha256_u8").GetString(), Tables.Sha256(Planes(pipeline, Load(row, pipeline))));
    }

    [Theory]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "do_sharpen": true}""", "do_sharpen")]
    [InlineData("""{"image_processor_type": "ViTImageProcessor"}""", "ViT")]
    [InlineData("""{"size": 224}""", "image_processor_type")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 224, "longest_edge": 300}}""", "size.longest_edge")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "size": -1}""", "size")]
    [InlineData("""{"image_processor_type": "EfficientNetImageProcessor"}""", "resample")]
    [InlineData("""{"image_processor_type": "CLIPImageProcessor", "image_mean": [0.5, 0.5]}""", "image_mean")]
    [InlineData("""{"image_processor_type": """, "JSON")]
    public void A_configuration_that_is_not_understood_is_an_error_with_its_key(string json, string named)
    {
        string path = Write(json);
        var e = Assert.Throws<ConfigFormatException>(() => ImagePipeline.FromPreprocessorConfig(path));
        Assert.Contains(named, e.Message, StringComparison.Ordinal);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_known_configuration_of_the_fixtures_is_read()
    {
        var unknown = new List<string>();
        foreach (string file in Fixtures.Roots.Where(Directory.Exists).SelectMany(r => Directory.EnumerateFiles(r, "preprocessor_config.json", SearchOption.AllDirectories)))
        {
            string type = File.ReadAllText(file);
            if (type.Contains("Idefics", StringComparison.Ordinal) || type.Contains("SmolVLM", StringComparison.Ordinal)) continue; // families of their own
            try { ImagePipeline.FromPreprocessorConfig(file); }
            catch (ConfigFormatException e) { unknown.Add(e.Message); }
        }
        Assert.Empty(unknown);
    }

    [Fact]
    public void The_longest_mode_of_open_clip_adds_a_border()
    {
        using JsonDocument json = JsonDocument.Parse("""{"resize_mode": "longest", "fill_color": 7, "interpolation": "bilinear"}""");
        ImagePipeline pipeline = ImagePipeline.OpenClip(json.RootElement, 8);
        var pixels = new byte[8 * 8 * 3];
        pipeline.Apply(new RgbImage(16, 4, Enumerable.Repeat((byte)100, 16 * 4 * 3).ToArray()), pixels);
        Assert.Equal([7, 7, 7, 100, 100, 7, 7, 7], Enumerable.Range(0, 8).Select(y => pixels[y * 24]));
    }

    [Fact]
    public void A_picture_of_extreme_aspect_is_cropped_without_computing_the_rest()
    {
        var pixels = new byte[224 * 224 * 3];
        ImagePipeline.OpenAi(224).Apply(new RgbImage(20000, 1, new byte[60000]), pixels);
        Assert.All(pixels, b => Assert.Equal(0, b));
    }

    private static ImagePipeline For(Row row)
    {
        string name = row.Text("pipeline");
        Assert.SkipWhen(name.Contains("_fast", StringComparison.Ordinal), "tensor processors are not the target; they resize with other rounding");
        return Named(name);
    }

    private static ImagePipeline Named(string name) => name switch
    {
        "hf_clip" => Config("""{"image_processor_type": "CLIPImageProcessor"}"""),
        "hf_clip336" => Config("""{"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 336}, "crop_size": {"height": 336, "width": 336}}"""),
        "hf_blip384" => Config("""{"image_processor_type": "BlipImageProcessor"}"""),
        "hf_siglip224" => Config("""{"image_processor_type": "SiglipImageProcessor"}"""),
        "hf_align" => Config(Align) with { Rgb = RgbConversion.Never },
        "hf_align_rgb" => Config(Align) with { Alpha = AlphaRule.Drop },
        "hf_videomae224" => Config("""{"image_processor_type": "VideoMAEImageProcessor"}""") with { Alpha = AlphaRule.Drop },
        "hf_florence768" => Config("""{"image_processor_type": "CLIPImageProcessor", "do_convert_rgb": true, "do_center_crop": false, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "size": {"height": 768, "width": 768}, "crop_size": {"height": 768, "width": 768}}"""),
        "openai224" => ImagePipeline.OpenAi(224),
        "openai224_rgb_first" => ImagePipeline.OpenAi(224) with { Rgb = RgbConversion.First },
        "openai336" => ImagePipeline.OpenAi(336),
        "openclip_squash224" => Squash(),
        _ => throw new ArgumentException($"unknown pipeline {name}"),
    };

    private const string Align = """{"image_processor_type": "EfficientNetImageProcessor", "crop_size": {"height": 289, "width": 289}, "do_center_crop": true, "do_normalize": false, "include_top": false, "resample": 2, "rescale_factor": 0.00784313725490196, "rescale_offset": true, "size": {"height": 346, "width": 346}}""";

    private static ImagePipeline Squash()
    {
        using JsonDocument json = JsonDocument.Parse("""{"resize_mode": "squash"}""");
        return ImagePipeline.OpenClip(json.RootElement, 224);
    }

    private static ImagePipeline Config(string json) => ImagePipeline.FromPreprocessorConfig(Write(json));

    private static string Write(string json)
    {
        string path = Path.Combine(Path.GetTempPath(), $"preprocessor_{Tables.Sha256(System.Text.Encoding.UTF8.GetBytes(json))[..16]}_{Environment.ProcessId}.json");
        lock (Calls) File.WriteAllText(path, json);
        return path;
    }

    private static byte[] Planes(ImagePipeline pipeline, NativeImage image)
    {
        (int width, int height) = pipeline.OutputSize(image.Width, image.Height);
        int channels = pipeline.OutputChannels(image);
        var pixels = new byte[width * height * channels];
        pipeline.Apply(image, pixels);
        var planes = new byte[pixels.Length];
        for (int i = 0; i < pixels.Length; i++) planes[i % channels * (width * height) + i / channels] = pixels[i];
        return planes;
    }

    private static NativeImage Load(Row row, ImagePipeline pipeline) =>
        new SkiaImageDecoder().DecodeNativeFile(row.DataFile(row.Text("picture")), pipeline.DecodeOptions(row.Json.TryGetProperty("exif_applied", out _)));

    private static void RequireCloseGrid(Row row, float[] tensor, int width, int height)
    {
        float[] grid = row.Tensor<float>(row.Text("grid"));
        for (int i = 0; i < grid.Length; i++)
        {
            int y = (int)((i / 16 % 16 + 0.5) * height / 16), x = (int)((i % 16 + 0.5) * width / 16);
            Assert.InRange(tensor[(i / 256 * height + y) * width + x] - grid[i], -0.04f, 0.04f);
        }
    }
}
