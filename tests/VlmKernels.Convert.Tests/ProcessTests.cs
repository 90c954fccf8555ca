using System.Diagnostics;
using System.Text.Json;
using VlmKernels.Cli.Tests;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Convert.Tests;

/// <summary>The command as its users run it.</summary>
public sealed class ProcessTests : IDisposable
{
    private const string Plain = "tests/fixtures/inputs/weights/plain-state-dict.pt", Clip = "tests/fixtures/clip/clip-vit-a/model.pt";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Shards_are_named_and_indexed_as_transformers_does()
    {
        Succeeded(ConvertTool.Run(Clip, _folder["out/"], "--shard-size", "200KB"));
        string[] names = [.. Directory.EnumerateFileSystemEntries(_folder["out"]).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
        int shards = names.Length - 1;
        Assert.InRange(shards, 2, 99);
        Assert.Equal([.. Enumerable.Range(1, shards).Select(i => $"model-{i:D5}-of-{shards:D5}.safetensors"), "model.safetensors.index.json"], names);
        using Checkpoint checkpoint = Checkpoint.Open(_folder["out"]);
        JsonElement index = JsonDocument.Parse(File.ReadAllBytes(_folder["out/model.safetensors.index.json"])).RootElement;
        Assert.Equal(checkpoint.Tensors.Values.Sum(tensor => tensor.ByteLength), index.GetProperty("metadata").GetProperty("total_size").GetInt64());
        Succeeded(ConvertTool.Run("verify", Clip, _folder["out"]));
    }

    [Fact]
    public void A_result_replaces_an_earlier_one_only_by_force_and_wholly()
    {
        Succeeded(ConvertTool.Run(Clip, _folder["out/"], "--shard-size", "200KB"));
        Failed(ConvertTool.Run(Clip, _folder["out"]), "expected no result yet, found one; --force replaces it");
        Succeeded(ConvertTool.Run(Clip, _folder["out"], "--force"));
        Assert.Equal(["model.safetensors"], Directory.EnumerateFileSystemEntries(_folder["out"]).Select(path => Path.GetFileName(path)));
        Failed(ConvertTool.Run(_folder["out"], _folder["out/model.safetensors"], "--force"), "expected another place for the result, found the source");
        Directory.CreateSymbolicLink(_folder["link"], _folder["out"]);
        Failed(ConvertTool.Run(_folder["out"], _folder["link"], "--force"), "expected another place for the result, found the source");
    }

    [Fact]
    public void Names_follow_the_rules_in_their_order()
    {
        Succeeded(ConvertTool.Run(Plain, _folder["a.safetensors"], "--rename", "a.*=b.*", "--rename", "b.weight=c.w"));
        using Checkpoint checkpoint = Checkpoint.Open(_folder["a.safetensors"]);
        Assert.Contains("c.w", checkpoint.Tensors.Keys);
        Assert.Contains("b.bias", checkpoint.Tensors.Keys);
        Succeeded(ConvertTool.Run("verify", Plain, _folder["a.safetensors"], "--rename", "a.*=b.*", "--rename", "b.weight=c.w"));
    }

    [Fact]
    public void What_is_left_out_shared_or_too_large_is_said()
    {
        float[] values = [1, 70000, -1e9f, float.PositiveInfinity];
        SafetensorsWriter.Write(_folder["big.safetensors"], [TensorSource.FromBytes("w", FileDType.F32, [4], System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray())]);
        Assert.Contains("w: 2 of 4 values are too large for F16 and became infinite", ConvertTool.Run(_folder["big.safetensors"], _folder["half.safetensors"], "--dtype", "f16").Error, StringComparison.Ordinal);
        Assert.Contains("note: the weights are those under 'model'", ConvertTool.Run("tests/fixtures/inputs/weights/nested-model-args.pth", _folder["n.safetensors"]).Error, StringComparison.Ordinal);
        Assert.Contains("note: tied.a, tied.b: one tensor in plain-state-dict.pt", ConvertTool.Run(Plain, _folder["p.safetensors"]).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("f16")]
    [InlineData("bf16")]
    public void Another_type_compares_as_equal_once_rounded(string dtype)
    {
        Succeeded(ConvertTool.Run(Clip, _folder["a.safetensors"], "--dtype", dtype, "--layout", "hf"));
        Succeeded(ConvertTool.Run("verify", Clip, _folder["a.safetensors"], "--layout", "hf"));
    }

    [Fact]
    public void Differences_are_named()
    {
        Write("a", 1, 2);
        Write("b", 1, 2.5f);
        SafetensorsWriter.Write(_folder["c.safetensors"], [TensorSource.FromBytes("v", FileDType.F32, [2], new byte[8])]);
        Failed(ConvertTool.Run("verify", _folder["a.safetensors"], _folder["b.safetensors"]), "'w': element 1: expected the bits 40000000, found 40200000");
        Outcome names = ConvertTool.Run("verify", _folder["a.safetensors"], _folder["c.safetensors"]);
        Failed(names, "'w': expected the tensor, found none");
        Failed(names, "'v': expected no such tensor, found one");
        Succeeded(ConvertTool.Run(_folder["b.safetensors"], _folder["d.safetensors"], "--dtype", "f16"));
        Failed(ConvertTool.Run("verify", _folder["a.safetensors"], _folder["d.safetensors"]), "'w': element 1: expected 2, found 2.5");
        Succeeded(ConvertTool.Run("verify", _folder["a.safetensors"], _folder["d.safetensors"], "--tolerance", "0.3"));
    }

    [Fact]
    public void A_dry_run_writes_nothing()
    {
        Outcome run = ConvertTool.Run(Clip, _folder["out/"], "--dry-run", "--layout", "hf");
        Succeeded(run);
        Assert.Contains("would be written", run.Output, StringComparison.Ordinal);
        Assert.Contains("visual.conv1.weight", run.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Inspect_shows_the_tensors()
    {
        Outcome run = ConvertTool.Run("inspect", Plain, "--json");
        Succeeded(run);
        Assert.Equal("tied.a", run.Json.GetProperty("one_tensor")[0][0].GetString());
        Assert.Contains("a.weight", ConvertTool.Run("inspect", Plain).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("expected FROM=TO, found x", "--rename", "x")]
    [InlineData("expected the same * and {i} in the same order on both sides", "--rename", "a.*=b")]
    [InlineData("expected one * at most, found 2", "--rename", "*a*=*b*")]
    [InlineData("--rename x=y: expected a tensor whose name fits, found none", "--rename", "x=y")]
    [InlineData("expected one tensor that becomes half, found half as well", "--rename", "bf16=half")]
    [InlineData("--shard-size: expected a size such as 2GB", "--shard-size", "many")]
    [InlineData("expected a checkpoint of CLIP or BLIP for --layout hf, found no known architecture", "--layout", "hf")]
    [InlineData("see 'vlm-convert --help'", "--dtype", "f8")]
    public void Wrong_options_are_named(string message, params string[] options)
    {
        Failed(ConvertTool.Run([Plain, _folder["out.safetensors"], .. options]), message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("reduce-os-system.pt", "expected nothing that could run code")]
    [InlineData("wrong-crc.pt", "the file is damaged")]
    [InlineData("stride-beyond-storage.pt", "expected a view inside storage")]
    [InlineData("index-path-traversal/model.safetensors.index.json", "expected")]
    public void A_hostile_file_leaves_nothing(string name, string message)
    {
        Failed(ConvertTool.Run($"tests/fixtures/inputs/weights/hostile/{name}", _folder["out.safetensors"]), message);
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    [Theory]
    [InlineData("out.bin", "expected a name that ends with .safetensors, or a folder")]
    public void Another_name_of_the_result_is_refused(string name, string message) => Failed(ConvertTool.Run(Plain, _folder[name]), message);

    [Fact]
    public void A_killed_conversion_leaves_no_file_under_its_final_name()
    {
        const int tensors = 6, elements = 1 << 23;
        byte[] bytes = new byte[elements * sizeof(float)];
        SafetensorsWriter.Write(_folder["big.safetensors"], Enumerable.Range(0, tensors).Select(i => TensorSource.FromBytes($"w{i}", FileDType.F32, [elements], bytes)));
        using Process process = Process.Start(Vlm.Describe(Vlm.Host, [ConvertTool.Assembly, _folder["big.safetensors"], _folder["out/"], "--dtype", "bf16", "--shard-size", "17MB"]))!;
        // As soon as something is being written.
        while (!process.HasExited && !(Directory.Exists(_folder["out"]) && Directory.EnumerateFiles(_folder["out"], "*", SearchOption.AllDirectories).Any())) Thread.Sleep(1);
        process.Kill();
        process.WaitForExit();
        Assert.NotEqual(0, process.ExitCode);
        Assert.Empty(Directory.EnumerateFiles(_folder["out"]));
        Succeeded(ConvertTool.Run(_folder["big.safetensors"], _folder["out"], "--dtype", "bf16", "--shard-size", "17MB"));
        Succeeded(ConvertTool.Run("verify", _folder["big.safetensors"], _folder["out"]));
    }

    private void Write(string name, params float[] values) =>
        SafetensorsWriter.Write(_folder[$"{name}.safetensors"], [TensorSource.FromBytes("w", FileDType.F32, [values.Length], System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray())]);

    private static void Succeeded(Outcome run) => Assert.True(run.ExitCode == 0, run.ToString());

    private static void Failed(Outcome run, string message)
    {
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("vlm-convert: ", run.Error.Split('\n').First(line => !line.StartsWith("note: ", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
