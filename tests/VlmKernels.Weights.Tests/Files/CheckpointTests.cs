using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>Which file stands for a folder, and how an index and its shards must fit.</summary>
public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model.safetensors", "model.safetensors open_clip_model.safetensors other.safetensors pytorch_model.bin")]
    [InlineData("open_clip_model.safetensors", "open_clip_model.safetensors other.safetensors model.pt golden.safetensors")]
    [InlineData("other.safetensors", "other.safetensors golden.safetensors checkpoint.pt")]
    [InlineData("pytorch_model.bin", "pytorch_model.bin best.ckpt training_args.bin")]
    [InlineData("best.ckpt", "best.ckpt golden.safetensors optimizer.pt")]
    public void A_folder_is_opened_by_the_usual_names(string expected, string names)
    {
        foreach (string name in names.Split(' ')) Handmade.Write(_folder[name], name);
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(_folder[expected], checkpoint.Path);
        Assert.Equal([_folder[expected]], checkpoint.Files);
        Assert.Equal([expected], checkpoint.Tensors.Keys);
    }

    [Theory]
    [InlineData("a.safetensors b.safetensors", "a.safetensors, b.safetensors")]
    [InlineData("golden.safetensors", "no checkpoint at all")]
    [InlineData("training_args.bin config.json", "no checkpoint at all")]
    [InlineData("model.pt vision.pth best.ckpt", "best.ckpt, model.pt, vision.pth; give the path of one of them")]
    public void A_folder_without_one_clear_checkpoint_is_refused(string names, string words)
    {
        foreach (string name in names.Split(' ')) Handmade.Write(_folder[name], "a");
        Assert.Contains(words, Assert.Throws<WeightFileException>(() => Checkpoint.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("model.pt", "expected a safetensors or PyTorch file, found a file that begins with '{}'")]
    [InlineData("pytorch_model.bin.index.json", "an object that gives each tensor's shard")]
    [InlineData("config.json", "expected a safetensors or PyTorch file")]
    public void A_file_of_another_kind_is_refused(string name, string words)
    {
        File.WriteAllText(_folder[name], "{}");
        Assert.Contains(words, Assert.Throws<WeightFileException>(() => Checkpoint.Open(_folder[name])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_path_with_nothing_there_is_refused() => Assert.Throws<WeightFileException>(() => Checkpoint.Open(_folder["absent.safetensors"]));

    [Fact]
    public void All_candidates_are_listed_safetensors_first_and_shards_once()
    {
        Shards("""{"weight_map":{"a":"part-a.safetensors","b":"part-b.safetensors"}}""");
        foreach (string name in new[] { "golden.safetensors", "other.safetensors", "model.pt", "pytorch_model-00001-of-00001.bin", "config.json" }) Handmade.Write(_folder[name], "x");
        File.WriteAllText(_folder["pytorch_model.bin.index.json"], """{"weight_map":{"a":"pytorch_model-00001-of-00001.bin"}}""");
        string[] expected = ["model.safetensors.index.json", "other.safetensors", "model.pt", "pytorch_model.bin.index.json"];
        Assert.Equal(expected.Select(name => _folder[name]), CheckpointFiles.List(_folder.Path));
    }

    [Fact]
    public void Shards_are_seen_as_one()
    {
        Shards("""{"metadata":{"total_size":32,"more":[{}]},"weight_map":{"a":"part-a.safetensors","b":"part-b.safetensors"}}""");
        using Checkpoint checkpoint = Checkpoint.Open(_folder.Path);
        Assert.Equal(_folder["model.safetensors.index.json"], checkpoint.Path);
        Assert.Equal([_folder["part-a.safetensors"], _folder["part-b.safetensors"]], checkpoint.Files);
        Assert.Equal(["a", "b"], checkpoint.Tensors.Keys);
        Assert.Equal(_folder["part-b.safetensors"], checkpoint.Tensors["b"].File);
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors"}}""", null)]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors","b":"part-c.safetensors"}}""", "part-c.safetensors")]
    [InlineData("""{"weight_map":{"a":"part-b.safetensors"}}""", "no such tensor")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors","a":"part-b.safetensors"}}""", "every tensor once")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors","x":"two.safetensors"}}""", "only tensors that")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors","x":"two.safetensors","y":"two.safetensors","b":"part-b.safetensors","c":"a-again.safetensors"}}""", "the tensor only in part-a.safetensors")]
    [InlineData("""{"weight_map":{"a":"../part-a.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"/tmp/part-a.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"..\\part-a.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"c:part-a.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"..safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":".safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors\u0000.safetensors"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":"model.bin"}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":""}}""", "plain name")]
    [InlineData("""{"weight_map":{"a":1}}""", "a shard's file name")]
    [InlineData("""{"weight_map":["a"]}""", "an object that gives")]
    [InlineData("""{"weight_map":{},"weight_map":{}}""", "it once")]
    [InlineData("""{"metadata":{}}""", "an object that gives")]
    [InlineData("""{"weight_map":{"\ud800":"part-a.safetensors"}}""", "one JSON object")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors"}""", "one JSON object")]
    [InlineData("""{"weight_map":{"a":"part-a.safetensors"}} {}""", "one JSON object")]
    [InlineData("[]", "one JSON object")]
    [InlineData("", "at least 1 bytes")]
    public void An_index_must_fit_its_shards(string index, string? words)
    {
        Shards(index);
        Handmade.Write(_folder["two.safetensors"], "x", "y");
        Handmade.Write(_folder["a-again.safetensors"], "a", "c");
        string path = _folder["model.safetensors.index.json"];
        if (words is null) Checkpoint.Open(path).Dispose();
        else Assert.Contains(words, Assert.Throws<WeightFileException>(() => Checkpoint.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_published_checkpoint_opens_by_its_folder()
    {
        int opened = 0;
        foreach (string file in Fixtures.Roots.Where(Directory.Exists).SelectMany(Published))
        {
            using Checkpoint checkpoint = Checkpoint.Open(file);
            Assert.NotEmpty(checkpoint.Tensors);
            foreach (StoredTensor tensor in checkpoint.Tensors.Values) tensor.ReadFloats(0, new float[tensor.ElementCount]);
            opened++;
        }
        Assert.NotEqual(0, opened);
    }

    private static IEnumerable<string> Published(string root) =>
        Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories)
            .Where(folder => !folder.Contains("hostile", StringComparison.Ordinal))
            .SelectMany(CheckpointFiles.List).Where(file => !file.EndsWith("float4.safetensors", StringComparison.Ordinal) && !file.Contains("larger-storage", StringComparison.Ordinal));

    private void Shards(string index)
    {
        Handmade.Write(_folder["part-a.safetensors"], "a");
        Handmade.Write(_folder["part-b.safetensors"], "b");
        File.WriteAllText(_folder["model.safetensors.index.json"], index);
    }
}
