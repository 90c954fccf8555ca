using System.IO.Compression;
using System.Text;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>What is chosen from a pickle, what is noted, and what is refused, with pickles put together by hand.</summary>
public sealed class PickleTests : IDisposable
{
    // {'w': …} with one tensor of four elements in storage 0.
    private const string Tensor = "ctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nFloatStorage\nX\u0001\0\0\u00000X\u0003\0\0\0cpuK\u0004tQK\0K\u0004\u0085K\u0001\u0085\u0089NtR";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("state_dict", "")]
    [InlineData("model", "optimizer")]
    [InlineData("ema", "")]
    [InlineData("module", "extra")]
    public void Weights_are_taken_from_under_the_usual_keys(string key, string beside)
    {
        string others = beside.Length == 0 ? "" : $"{Text(beside)}}}({Text("x")}{Tensor}u";
        using Checkpoint checkpoint = Open($"}}({Text(key)}}}({Text("a.w")}{Tensor}u{others}u.");
        Assert.Equal(["a.w"], checkpoint.Tensors.Keys);
        Assert.Equal($"the weights are those under '{key}'{(beside.Length == 0 ? "" : $"; tensors left out: {beside}")}", Assert.Single(checkpoint.Notes));
    }

    [Fact]
    public void Weights_are_preferred_to_their_average()
    {
        using Checkpoint checkpoint = Open($"}}({Text("ema")}}}{Text("old")}{Tensor}s{Text("model")}}}{Text("w")}{Tensor}su.");
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
    }

    [Fact]
    public void Optimizer_states_beside_weights_at_the_top_are_left_out()
    {
        using Checkpoint checkpoint = Open($"}}({Text("w")}{Tensor}{Text("optimizer")}}}{Text("m")}{Tensor}su.");
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
        Assert.Equal("tensors left out: optimizer", Assert.Single(checkpoint.Notes));
    }

    [Fact]
    public void A_pickled_module_is_read_like_its_state_dict()
    {
        using Checkpoint checkpoint = Open($"cmine\nNet\n)\u0081}}({Text("_parameters")}}}{Text("w")}{Tensor}s{Text("_modules")}}}{Text("fc")}cmine\nFc\n)\u0081}}{Text("_buffers")}}}{Text("b")}{Tensor}ssbsub.");
        Assert.Equal(["w", "fc.b"], checkpoint.Tensors.Keys);
        Assert.Equal("objects that were not built: mine.Fc, mine.Net", Assert.Single(checkpoint.Notes));
    }

    [Fact]
    public void Names_that_a_module_uses_for_its_parts_are_names_elsewhere()
    {
        using Checkpoint checkpoint = Open($"}}({Text("_modules")}}}{Text("w")}{Tensor}s{Text("w")}{Tensor}u.");
        Assert.Equal(["_modules.w", "w"], checkpoint.Tensors.Keys);
    }

    [Theory]
    [InlineData("_io")]
    [InlineData("io")]
    public void Bytes_that_layers_keep_beside_their_weights_are_left_out(string module)
    {
        using Checkpoint checkpoint = Open($"}}({Text("w")}{Tensor}{Text("w._extra_state")}c{module}\nBytesIO\n)\u0081(C\u0001xK\0Ntbu.");
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
        Assert.Empty(checkpoint.Notes);
    }

    [Theory]
    [InlineData("K\u0002K\0", "[2, 0]")]
    [InlineData("K\0K\u0002", "[0, 2]")]
    public void A_tensor_without_elements_reads_as_nothing(string size, string shape)
    {
        string empty = Tensor.Replace("K\u0004\u0085K\u0001\u0085", $"{size}\u0086K\u0001K\u0001\u0086", StringComparison.Ordinal);
        using Checkpoint checkpoint = Open($"}}{Text("w")}{empty}s.");
        StoredTensor tensor = checkpoint.Tensors["w"];
        Assert.Equal($"'w' F32 {shape}", tensor.ToString());
        tensor.ReadBytes(0, []);
        tensor.ReadFloats(0, []);
        tensor.ReleasePages();
        Assert.Empty(checkpoint.Aliases);
    }

    [Fact]
    public void Entries_that_share_bytes_are_refused()
    {
        Open($"}}{Text("w")}{Tensor}s.").Dispose();
        byte[] file = File.ReadAllBytes(_folder["handmade.pt"]);
        int directory = BitConverter.ToInt32(file, file.Length - 6), storage = directory + 46 + "a/data.pkl".Length;
        // As many entries as the directory has room for, all with the bytes of the last one.
        byte[] entry = file[storage..^22];
        byte[][] copies = [.. Enumerable.Range(0, 9).Select(i => entry[..(entry.Length - 1)].Append((byte)('1' + i)).ToArray())];
        byte[] end = file[^22..];
        BitConverter.GetBytes((short)11).CopyTo(end, 8);
        BitConverter.GetBytes((short)11).CopyTo(end, 10);
        BitConverter.GetBytes(file.Length - 22 - directory + 9 * entry.Length).CopyTo(end, 12);
        File.WriteAllBytes(_folder["shared.pt"], [.. file[..^22], .. copies.SelectMany(copy => copy), .. end]);
        Assert.Contains("entries side by side in the ", Assert.Throws<WeightFileException>(() => Checkpoint.Open(_folder["shared.pt"])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mine.load", "a call of 'mine.load' at byte ")]
    [InlineData("torch._utils._rebuild_sparse_tensor", "a call of 'torch._utils._rebuild_sparse_tensor' at byte ")]
    [InlineData("mine.Config", null)]
    [InlineData("os.path.join", "expected nothing that could run code, found 'os.path.join'")]
    [InlineData("torch.os.system", "expected nothing that could run code")]
    [InlineData("torch.storage._load_from_bytes", "expected nothing that could run code")]
    [InlineData("builtins.print", "expected nothing that could run code")]
    [InlineData("mine.f.__globals__", "expected nothing that could run code")]
    [InlineData("subprocess.Popen", "expected nothing that could run code")]
    [InlineData("_thread.start_new_thread", "expected nothing that could run code")]
    [InlineData("uuid._get_command_stdout", "expected nothing that could run code")]
    [InlineData("functools.partial", "expected nothing that could run code")]
    [InlineData("numpy.core.multiarray.scalar", null)]
    public void A_call_among_weights_is_judged_by_its_name(string name, string? words)
    {
        int dot = name.LastIndexOf('.');
        string pickle = $"}}({Text("w")}{Tensor}{Text("x")}c{name[..dot]}\n{name[(dot + 1)..]}\n)Ru.";
        if (words is null) Open(pickle).Dispose();
        else Assert.Contains(words, Assert.Throws<WeightFileException>(() => Open(pickle)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("posix\nsystem")]
    [InlineData("mine\nsystem")]
    public void Nothing_is_ever_run(string callee)
    {
        string canary = _folder["canary"];
        string call = $"c{callee}\n{Text($"touch {canary}")}\u0085R", file = $"}}({Text("model")}}}{Text("w")}{Tensor}s{Text("x")}{call}u.";
        if (callee == "mine\nsystem") Open(file).Dispose();
        else Assert.Throws<WeightFileException>(() => Open(file));
        Assert.False(File.Exists(canary));
    }

    [Theory]
    [InlineData('\u0088')]
    [InlineData('\u0089')] // torch swaps as it writes, and never asks
    public void The_old_container_is_little_endian_whatever_the_machine_was(char isLittle)
    {
        const string tensor = "ctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nShortStorage\nX\u0001\0\0\u00000X\u0003\0\0\0cpuK\u0002NtQK\0K\u0002\u0085K\u0001\u0085\u0089NtR";
        string bytes = "\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.\u0080\u0002M\u00e9\u0003.\u0080\u0002}" + Text("little_endian") + isLittle + "s.\u0080\u0002}" + Text("w") + tensor + "s.\u0080\u0002]" + Text("0") + "a.\u0002\0\0\0\0\0\0\0";
        File.WriteAllBytes(_folder["old.pt"], [.. Encoding.Latin1.GetBytes(bytes), 1, 0, 2, 0]);
        using Checkpoint checkpoint = Checkpoint.Open(_folder["old.pt"]);
        long[] values = new long[2];
        checkpoint.Tensors["w"].ReadInt64s(0, values);
        Assert.Equal([1, 2], values);
    }

    [Fact]
    public void A_part_of_a_storage_in_the_old_container_begins_where_it_says()
    {
        const string part = "ctorch._utils\n_rebuild_tensor_v2\n((X\u0007\0\0\0storagectorch\nShortStorage\nX\u0001\0\0\u00000X\u0003\0\0\0cpuK\u0005(X\u0001\0\0\u0000vK\u0002K\u0003ttQK\u0001K\u0002\u0085K\u0001\u0085\u0089NtR";
        string bytes = "\u0080\u0002\u008a\nl\u00fc\u009cF\u00f9 j\u00a8P\u0019.\u0080\u0002M\u00e9\u0003.\u0080\u0002}.\u0080\u0002}" + Text("w") + part + "s.\u0080\u0002]" + Text("0") + "a.\u0005\0\0\0\0\0\0\0";
        File.WriteAllBytes(_folder["old.pt"], [.. Encoding.Latin1.GetBytes(bytes), 0, 0, 1, 0, 2, 0, 3, 0, 4, 0]);
        using Checkpoint checkpoint = Checkpoint.Open(_folder["old.pt"]);
        long[] values = new long[2];
        checkpoint.Tensors["w"].ReadInt64s(0, values);
        Assert.Equal([3, 4], values);
    }

    [Fact]
    public void An_unknown_call_outside_the_weights_is_only_noted()
    {
        using Checkpoint checkpoint = Open($"}}({Text("model")}}}{Text("w")}{Tensor}s{Text("when")}cmine\nnow\n)Ru.");
        Assert.Equal(["the weights are those under 'model'", "objects that were not built: mine.now"], checkpoint.Notes);
    }

    [Fact]
    public void Names_without_end_are_refused()
    {
        // Pairs of remembered texts: each takes five bytes.
        var pickle = new StringBuilder("}(");
        for (int i = 0; i < 200; i++) pickle.Append($"{Text($"m{i}")}q{(char)i}");
        for (int i = 0; i < 40_000; i++) pickle.Append($"h{(char)(i / 200)}h{(char)(i % 200)}\u0093");
        Assert.Contains("names of classes and functions, found more", Assert.Throws<WeightFileException>(() => Open($"{pickle}1{Text("w")}{Tensor}u.")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Calls_that_nest_without_end_are_refused()
    {
        string apply = "ctorch._tensor\n_rebuild_from_type_v2\n", nested = ")";
        for (int i = 0; i < 6; i++) nested = $"({apply}N{nested}Nt";
        Assert.Contains("inside each other, found more", Assert.Throws<WeightFileException>(() => Open($"}}{Text("w")}{apply}{nested}Rs.")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Memo_slots_that_would_share_a_bucket_do_not()
    {
        var pickle = new StringBuilder("}(]");
        for (int i = 0; i < 30_000; i++) pickle.Append('r').Append(string.Concat(BitConverter.GetBytes(75431u * (uint)i).Select(b => (char)b)));
        for (int i = 0; i < 30_000; i++) pickle.Append('j').Append(string.Concat(BitConverter.GetBytes(75431u * (uint)i).Select(b => (char)b))).Append('0');
        var watch = System.Diagnostics.Stopwatch.StartNew();
        using Checkpoint checkpoint = Open($"{pickle}0{Text("w")}{Tensor}u.");
        Assert.Equal(["w"], checkpoint.Tensors.Keys);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(2), $"{watch.Elapsed}");
    }

    [Theory]
    [InlineData(201)]
    [InlineData(100_000)]
    public void Tensors_too_deep_are_refused(int depth)
    {
        string pickle = string.Concat(Enumerable.Repeat("](", depth)) + Tensor + string.Concat(Enumerable.Repeat("e", depth)) + ".";
        Assert.Contains("containers deep", Assert.Throws<WeightFileException>(() => Open(pickle)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_that_multiply_are_refused()
    {
        var pickle = new StringBuilder($"](({Tensor}ltq\0");
        for (int level = 0; level < 40; level++) pickle.Append("0](").Append("h\0h\0h\0h\0h\0eq\0");
        Assert.Contains("that the file has room for", Assert.Throws<WeightFileException>(() => Open(pickle.Append("0h\0.").ToString())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_shows_in_Verify()
    {
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights", "hostile", "wrong-crc.pt"));
        Assert.Throws<WeightFileException>(checkpoint.Verify);
    }

    [Fact]
    public void Closed_files_are_not_read()
    {
        Checkpoint checkpoint = Open($"}}{Text("w")}{Tensor}s.");
        StoredTensor tensor = checkpoint.Tensors["w"];
        checkpoint.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.ReadFloats(0, new float[4]));
    }

    private static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";

    private Checkpoint Open(string pickle)
    {
        string path = _folder["handmade.pt"];
        File.Delete(path);
        using (ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create))
        {
            Write(zip, "a/data.pkl", Encoding.Latin1.GetBytes("\u0080\u0002" + pickle));
            Write(zip, "a/data/0", new byte[16]);
        }
        return Checkpoint.Open(path);
    }

    private static void Write(ZipArchive zip, string name, byte[] bytes)
    {
        using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        stream.Write(bytes);
    }
}
