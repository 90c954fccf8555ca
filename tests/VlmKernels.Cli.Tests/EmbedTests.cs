using System.Diagnostics;
using System.Text.Json;
using VlmKernels.Testing;
using VlmKernels.Weights;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary><c>vlm embed</c>: what it writes, what it reads, and what it refuses.</summary>
public sealed class EmbedTests : IDisposable
{
    private const string Pictures = "models/samples";

    private readonly TemporaryFolder _folder = new();

    private string Output => _folder["out"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pictures_become_rows_of_length_1_in_the_order_of_their_names()
    {
        var run = Embed(Pictures, "--json");
        Assert.Equal((6, 0), (run.Json.GetProperty("count").GetInt32(), run.Json.GetProperty("errors").GetInt32()));
        Assert.Equal(["img_emb/img_emb_0.npy", "metadata/metadata_0.parquet", "run_0.json"], Embeddings.Files(Output));
        var made = Embeddings.Read(Output);
        Assert.Equal((6, 128, "<f4"), (made.Rows, made.Width, made.Type));
        Assert.Equal(Enumerable.Range(1, 6).Select(i => $"{Pictures}/scene-{i}.png"), made.Inputs);
        for (int i = 0; i < 6; i++) Assert.Equal(1, Dot(made.Row(i), made.Row(i)), 1e-5);
    }

    [Fact]
    public void Texts_and_pictures_meet()
    {
        Embed($"{Pictures}/scene-3.png");
        string lines = _folder.Write("texts.txt", "a photo of a bag\n\na photo of a sneaker\n");
        Run(["embed", lines, "--texts", "--output", _folder["texts"]]);
        var texts = Embeddings.Read(_folder["texts"], kind: "text_emb", column: "caption");
        Assert.Equal(["a photo of a bag", "a photo of a sneaker"], texts.Inputs);
        var picture = Embeddings.Read(Output).Row(0);
        Assert.True(Dot(picture, texts.Row(1)) > Dot(picture, texts.Row(0)));
    }

    [Fact]
    public void A_pipe_among_the_pictures_is_an_error_of_its_own()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "makes a pipe with mkfifo");
        File.Copy(Path.Combine(Fixtures.Repository, Pictures, "scene-1.png"), _folder["b.png"]);
        using (var made = Process.Start("mkfifo", _folder["a.png"])) made.WaitForExit();
        var run = Embed(_folder["*.png"], "--json");
        Assert.Equal((1, 1), (run.Json.GetProperty("count").GetInt32(), run.Json.GetProperty("errors").GetInt32()));
        Assert.Contains("an empty file, a pipe or a device", File.ReadAllText(Path.Combine(Output, "errors_0.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_a_list()
    {
        Vlm.Start("bash", ["-c", $"'{Vlm.Host}' '{Vlm.Assembly}' embed - --texts --output '{Output}' < '{_folder.Write("list", "\uFEFFa red bag\n")}'"]);
        Assert.Equal(["a red bag"], Embeddings.Read(Output, kind: "text_emb", column: "caption").Inputs);
    }

    [Fact]
    public void Half_precision_is_the_rounded_single()
    {
        Embed(Pictures);
        Run(["embed", Pictures, "--output", _folder["half"], "--dtype", "f16"]);
        Embeddings single = Embeddings.Read(Output), half = Embeddings.Read(_folder["half"]);
        Assert.Equal("<f2", half.Type);
        for (int i = 0; i < single.Rows * single.Width; i++) Assert.Equal((Half)BitConverter.ToSingle(single.Data, i * 4), BitConverter.ToHalf(half.Data, i * 2));
    }

    [Theory]
    [InlineData("f32")]
    [InlineData("f16")]
    public void Safetensors_hold_the_same_rows(string dtype)
    {
        Embed(Pictures, "--dtype", dtype);
        Run(["embed", Pictures, "--output", _folder["other"], "--dtype", dtype, "--format", "safetensors"]);
        using var file = SafetensorsFile.Open(Path.Combine(_folder["other"], "img_emb/img_emb_0.safetensors"));
        var tensor = file.Tensors["embeddings"];
        Assert.Equal([6, 128], tensor.Shape);
        byte[] data = new byte[tensor.ByteLength];
        tensor.ReadBytes(0, data);
        Assert.Equal(Embeddings.Read(Output).Data, data);
    }

    [Fact]
    public void The_batch_changes_no_bit()
    {
        Embed(Pictures);
        Run(["embed", Pictures, "--output", _folder["other"], "--batch", "1"]);
        Assert.Equal(Embeddings.Read(Output).File, Embeddings.Read(_folder["other"]).File);
    }

    [Fact]
    public void Unreadable_pictures_are_listed_and_leave_no_row()
    {
        string bad = _folder.Write("bad.png", "no picture");
        var run = Embed($"{Pictures}/scene-1.png", bad, $"{Pictures}/scene-2.png", "--json");
        Assert.Equal((2, 1), (run.Json.GetProperty("count").GetInt32(), run.Json.GetProperty("errors").GetInt32()));
        Assert.Equal([$"{Pictures}/scene-1.png", $"{Pictures}/scene-2.png"], Embeddings.Read(Output).Inputs);
        var error = JsonDocument.Parse(Assert.Single(File.ReadAllLines(Path.Combine(Output, "errors_0.jsonl")))).RootElement;
        Assert.Equal((1, bad), (error.GetProperty("index").GetInt32(), error.GetProperty("input").GetString()));
        Assert.Contains("expected a PNG", error.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_readable_is_a_failure()
    {
        var run = Vlm.Run("embed", _folder.Write("bad.png", "no picture"), "--output", Output);
        Assert.Equal(1, run.ExitCode);
        Assert.Equal(0, Embeddings.Read(Output).Rows);
    }

    [Fact]
    public void Patterns_and_a_list_on_standard_input_name_pictures()
    {
        Directory.CreateDirectory(_folder["a/b"]);
        foreach (string name in (string[])["a/one.png", "a/b/two.png", "a/b/note.txt"]) File.Copy(Path.Combine(Fixtures.Repository, Pictures, "scene-1.png"), _folder[name]);
        File.CreateSymbolicLink(_folder["a/b/up"], _folder["a"]);
        Embed(_folder["a/**/*.png"]);
        Assert.Equal([_folder["a/b/two.png"], _folder["a/one.png"]], Embeddings.Read(Output).Inputs);
        Embed(_folder["a/?ne.*"], "--overwrite");
        Assert.Equal([_folder["a/one.png"]], Embeddings.Read(Output).Inputs);
        Embed(_folder["a"], "--overwrite");
        Assert.Equal(2, Embeddings.Read(Output).Rows);
        string list = $"{Pictures}/scene-2.png\n\n{Pictures}/nowhere.png\n{Pictures}/scene-1.png\n";
        var run = Vlm.Start("bash", ["-c", $"'{Vlm.Host}' '{Vlm.Assembly}' embed - --output '{Output}' --overwrite < '{_folder.Write("list", list)}'"]);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal([$"{Pictures}/scene-2.png", $"{Pictures}/scene-1.png"], Embeddings.Read(Output).Inputs);
    }

    [Theory]
    [InlineData("SLURM_ARRAY_TASK_ID", "6", "5", null)]
    [InlineData("SLURM_ARRAY_TASK_ID", "13", "3", "10")]
    [InlineData("JOB_COMPLETION_INDEX", "1", null, null)]
    public void The_environment_tells_the_shard(string variable, string value, string? first, string? step)
    {
        Run(["embed", Pictures, "--output", Output, "--shards", "4"], (variable, value), ("SLURM_ARRAY_TASK_MIN", first), ("SLURM_ARRAY_TASK_STEP", step));
        Assert.Equal(["img_emb/img_emb_1.npy", "metadata/metadata_1.parquet", "run_1.json"], Embeddings.Files(Output));
        Assert.Equal([$"{Pictures}/scene-2.png", $"{Pictures}/scene-3.png"], Embeddings.Read(Output, shard: 1).Inputs);
    }

    [Fact]
    public void A_finished_run_is_not_repeated()
    {
        Embed(Pictures);
        var run = Embed(Pictures);
        Assert.Contains("nothing to do", run.Error, StringComparison.Ordinal);
        Assert.Equal(6, Embeddings.Read(Output).Rows);
        File.Delete(Path.Combine(Output, "metadata/metadata_0.parquet"));
        Refuses("metadata_0.parquet is missing", Pictures);
    }

    [Theory]
    [InlineData("dtype: expected f32, found f16", Pictures, "--dtype", "f16")]
    [InlineData("format: expected npy, found safetensors", Pictures, "--format", "safetensors")]
    [InlineData("orientation: expected applied, found as stored", Pictures, "--as-stored")]
    [InlineData("inputs: expected 6, SHA-256", Pictures + "/scene-1.png")]
    [InlineData("shard: expected 0 of 1, found 0 of 2", Pictures, "--shards", "2", "--shard", "0")]
    [InlineData("model: expected CLIP ViT", Pictures, "--model", "tests/fixtures/clip/clip-e2e")]
    [InlineData("input: expected pictures, found texts", "models/samples/expected.json", "--texts")]
    public void Another_run_in_the_same_folder_is_refused(string difference, params string[] args)
    {
        Embed(Pictures);
        Refuses(difference, args);
        Assert.Equal(6, Embeddings.Read(Output).Rows);
    }

    [Theory]
    [InlineData("expected a file, a folder or a pattern", "nowhere")]
    [InlineData("expected files", "models/samples/*.tiff")]
    [InlineData("that end in", "docs")]
    [InlineData("--batch: expected 1 to 64, found 65", Pictures, "--batch", "65")]
    [InlineData("--shards 3 needs --shard", Pictures, "--shards", "3")]
    [InlineData("--shard needs --shards", Pictures, "--shard", "3")]
    [InlineData("--shard: expected 0 to 2, found 3", Pictures, "--shards", "3", "--shard", "3")]
    [InlineData("bf16", Pictures, "--dtype", "bf16")]
    public void What_cannot_be_done_is_said_before_anything_is_written(string message, params string[] args)
    {
        Refuses(message, args);
        Assert.False(Directory.Exists(Output));
    }

    [Fact]
    public void Files_that_no_run_accounts_for_are_left_alone()
    {
        Directory.CreateDirectory(Path.Combine(Output, "img_emb"));
        File.WriteAllText(Path.Combine(Output, "img_emb/img_emb_0.npy"), "mine");
        Refuses("--overwrite replaces it", Pictures);
        Assert.Equal("mine", File.ReadAllText(Path.Combine(Output, "img_emb/img_emb_0.npy")));
        Embed(Pictures, "--overwrite");
        Assert.Equal(6, Embeddings.Read(Output).Rows);
    }

    [Fact]
    public void A_damaged_state_is_named()
    {
        Embed(Pictures);
        File.WriteAllText(Path.Combine(Output, "run_0.json"), "{\"settings\": 1}");
        Refuses("run_0.json: expected the state of a run", Pictures);
    }

    [Fact]
    public void An_interrupted_run_says_that_it_goes_on()
    {
        Embeddings.WritePictures(Directory.CreateDirectory(_folder["many"]).FullName, 4000, damagedEvery: 5000);
        var (exitCode, error) = Interrupt();
        // On a busy machine it may be through before anybody notices that it began.
        for (int tries = 1; exitCode == 0 && tries < 5; tries++) (exitCode, error) = Interrupt("--overwrite");
        Assert.Equal(1, exitCode);
        Assert.Contains("goes on from there", error, StringComparison.Ordinal);
        Run(["embed", _folder["many"], "--output", Output]);
        Assert.Equal(4000, Embeddings.Read(Output).Rows);

        (int ExitCode, string Error) Interrupt(params string[] more)
        {
            using var process = Process.Start(Vlm.Describe(Vlm.Host, [Vlm.Assembly, "embed", _folder["many"], "--output", Output, "--batch", "8", .. more]))!;
            var started = Stopwatch.StartNew();
            while (!Directory.EnumerateFiles(_folder.Path, ".img_emb_0.partial", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Any() && started.Elapsed < TimeSpan.FromSeconds(60)) Thread.Sleep(10);
            using (var kill = Process.Start("kill", ["-TERM", $"{process.Id}"])) kill.WaitForExit(); // a shell may have told background jobs to ignore Ctrl-C
            string said = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, said);
        }
    }

    private static double Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int i = 0; i < a.Length; i++) sum += (double)a[i] * b[i];
        return sum;
    }

    private static Outcome Run(string[] args, params (string, string?)[] environment)
    {
        var run = Vlm.Run(args, environment);
        Assert.True(run.ExitCode == 0, run.ToString());
        return run;
    }

    private Outcome Embed(params string[] args) => Run(["embed", .. args, "--output", Output]);

    private void Refuses(string message, params string[] args)
    {
        var run = Vlm.Run(["embed", .. args, "--output", Output]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
