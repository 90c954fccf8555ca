using System.Security.Cryptography;
using System.Text.Json;
using VlmKernels.Cli.Tests;
using VlmKernels.Tasks;
using VlmKernels.Tasks.Verification;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Convert.Tests;

/// <summary>Every checkpoint at hand, converted in this process and read again.</summary>
public sealed class ConversionTests : IDisposable
{
    // Files of a family, over all roots; a root that lacks a family adds none.
    private static readonly string[] Families = ["clip", "blip", "unit", "florence", "flamingo", "xclip-ms", "xclip-paper", "coca", "align", "idefics", "siglip", "florence2", "llava", "smolvlm"];

    private readonly TemporaryFolder _folder = new();

    public static TheoryData<string, string> Rows =>
        [.. Fixtures.Find("inputs/weights/index.json").SelectMany(table => Files(table).Where(row => row.GetProperty("expect").GetString() == "tensors").Select(row => new TheoryDataRow<string, string>(table, row.GetProperty("file").GetString()!)))];

    public static TheoryData<string> PyTorchCases => [.. Fixtures.Cases("clip").Where(folder => CheckpointFiles.List(folder).Any(IsPyTorch))];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_row_of_the_table_converts_to_the_bytes_that_the_reference_hashed(string table, string name)
    {
        JsonElement row = Files(table).Single(r => r.GetProperty("file").GetString() == name);
        Convert(Path.Combine(Path.GetDirectoryName(table)!, name), _folder["a.safetensors"], new ConversionOptions());
        using SafetensorsFile converted = SafetensorsFile.Open(_folder["a.safetensors"]);
        Assert.Equal("pt", converted.Metadata["format"]);
        if (!row.TryGetProperty("tensors", out JsonElement tensors)) return;
        Assert.Equal(tensors.EnumerateObject().Select(p => p.Name).Order(), converted.Tensors.Keys.Order());
        foreach (JsonProperty tensor in tensors.EnumerateObject())
        {
            StoredTensor found = converted.Tensors[tensor.Name];
            byte[] bytes = new byte[found.ByteLength];
            found.ReadBytes(0, bytes);
            Assert.Equal(tensor.Value.GetProperty("dtype").GetString(), found.DType.Name());
            Assert.Equal(tensor.Value.GetProperty("shape").EnumerateArray().Select(e => e.GetInt64()), found.Shape);
            Assert.Equal(tensor.Value.GetProperty("sha256").GetString(), System.Convert.ToHexStringLower(SHA256.HashData(bytes)));
        }
    }

    [Fact]
    public void Every_checkpoint_of_every_family_converts_and_compares_as_equal()
    {
        string[] checkpoints = [.. Families.SelectMany(Fixtures.Cases).SelectMany(CheckpointFiles.List)];
        Assert.NotEmpty(checkpoints);
        Assert.All(checkpoints, path => Convert(path, _folder["all.safetensors"], new ConversionOptions()));
    }

    [Theory]
    [MemberData(nameof(PyTorchCases))]
    public void A_converted_CLIP_computes_what_the_reference_did(string folder)
    {
        foreach (string file in Directory.EnumerateFiles(folder).Where(file => !CheckpointFiles.List(folder).Contains(file))) File.Copy(file, _folder[Path.GetFileName(file)]);
        foreach (string path in CheckpointFiles.List(folder).Where(IsPyTorch)) Convert(path, _folder[Path.GetFileNameWithoutExtension(path) + ".safetensors"], new ConversionOptions());
        using var backend = Devices.Open();
        VerifyReport report = Verifier.Run(_folder.Path, backend);
        Assert.NotEmpty(report.Checkpoints);
        Assert.Empty(report.Failures.Select(f => $"{f.Call} {f.Stage} {f.Shape}: {f.MaxError:g3} {f.Note}"));
        Assert.All(report.Checkpoints, checkpoint => Assert.Null(checkpoint.SkippedBecause));
    }

    [Theory]
    [InlineData("clip/clip-vit-a/model.pt", "vision_model.encoder.layers.0.self_attn.q_proj.weight", "visual.transformer.resblocks.0.attn.in_proj_weight")]
    [InlineData("clip/clip-vit-d-custom/open_clip_model.safetensors", "text_model.encoder.layers.0.mlp.fc1.bias", "text.transformer.resblocks.0.mlp.c_fc.bias")]
    public void A_layout_gives_the_tensors_that_a_model_asks_for(string file, string name, string stored)
    {
        string source = Path.Combine(Fixtures.Repository, "tests", "fixtures", file);
        Convert(source, _folder["hf.safetensors"], new ConversionOptions(HuggingFace: true));
        using Checkpoint original = Checkpoint.Open(source), converted = Checkpoint.Open(_folder["hf.safetensors"]);
        Assert.Contains(stored, original.Tensors.Keys);
        Assert.Contains(name, converted.Tensors.Keys);
        LayoutView asked = CheckpointKind.Recognise(original.Tensors.Keys).Layout!.Over(source, original.Tensors.Values);
        Assert.Equal(ClipLayouts.HuggingFace, CheckpointKind.Recognise(converted.Tensors.Keys).Layout);
        Assert.Equal(asked.Names.Order(StringComparer.Ordinal), converted.Tensors.Keys.Order(StringComparer.Ordinal));
        foreach (StoredTensor tensor in converted.Tensors.Values)
        {
            WeightView view = asked.Find(tensor.Name)!;
            float[] expected = new float[view.Count], found = new float[view.Count];
            view.Read(0, expected);
            tensor.ReadFloats(0, found);
            Assert.Equal(view.Shape, tensor.Shape);
            Assert.Equal(expected, found);
        }
    }

    /// <summary>Converts and compares.</summary>
    private static void Convert(string source, string result, ConversionOptions options)
    {
        using Conversion conversion = Conversion.Open(source, options);
        new ResultWriter(conversion, ResultFiles.Of(result, conversion.Tensors, shardSize: null)).Write(_ => { }, CancellationToken.None);
        using Checkpoint converted = Checkpoint.Open(result);
        Assert.Empty(new Comparison(conversion, converted, tolerance: 0).Differences(_ => { }));
    }

    private static bool IsPyTorch(string path) => Path.GetExtension(path) is ".pt" or ".pth" or ".bin";

    private static JsonElement.ArrayEnumerator Files(string table) => JsonDocument.Parse(File.ReadAllBytes(table)).RootElement.GetProperty("files").EnumerateArray();
}
