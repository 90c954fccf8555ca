using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The moments between the last steps of a run, too short to be hit from outside.</summary>
public sealed class EmbedRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("vlm-test-").FullName;
    private readonly IBackend _backend = Devices.Open();
    private readonly ClipRuntime _clip;
    private readonly Session _session;
    private readonly string[] _inputs;

    public EmbedRunTests()
    {
        _clip = ClipRuntime.Open(Path.Combine(Fixtures.Repository, "models", "fashion-clip"), _backend);
        _session = new Session(_backend);
        _inputs = [.. Enumerable.Range(1, 6).Select(i => Path.Combine(Fixtures.Repository, "models", "samples", $"scene-{i}.png")), Path.Combine(_folder, "bad.png")];
        File.WriteAllText(_inputs[^1], "no picture");
    }

    private string Output => Path.Combine(_folder, "out");

    public void Dispose()
    {
        _session.Dispose();
        _clip.Dispose();
        _backend.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("errors_0.jsonl", "img_emb/img_emb_0.npy", "metadata/metadata_0.parquet")]
    [InlineData("errors_0.jsonl", "img_emb/img_emb_0.npy")]
    [InlineData("errors_0.jsonl")]
    [InlineData]
    public void An_end_between_the_renames_is_made_up_for(params string[] notYetNamed)
    {
        Assert.Equal((6, 1), Counts(Run()));
        var expected = Files();
        string run = Path.Combine(Output, "run_0.json");
        File.WriteAllText(run, File.ReadAllText(run).Replace("\"finished\": true", "\"finished\": false", StringComparison.Ordinal));
        foreach (string file in notYetNamed.Select(f => Path.Combine(Output, f))) File.Move(file, Path.Combine(Path.GetDirectoryName(file)!, $".{Path.GetFileNameWithoutExtension(file)}.partial"));
        Assert.Equal((6, 1), Counts(Run()));
        Assert.Equal(expected, Files());
    }

    [Fact]
    public void A_partial_file_that_lost_bytes_is_an_error()
    {
        using var source = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => Run(_ => source.Cancel(), cancellation: source.Token));
        string partial = Path.Combine(Output, "img_emb", ".img_emb_0.partial");
        using (var file = File.OpenWrite(partial)) file.SetLength(file.Length - 1);
        Assert.Contains("--overwrite starts anew", Assert.Throws<InvalidDataException>(() => Run()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_runs_of_one_shard_do_not_mix()
    {
        using var first = EmbedRun.Open(_clip, _session, _inputs, new EmbedOptions(Output));
        Assert.Contains("another process is at work on shard 0 of ", Assert.Throws<IOException>(() => Run()).Message, StringComparison.Ordinal);
        using var second = EmbedRun.Open(_clip, _session, _inputs, new EmbedOptions(Output) { Shard = new Shard(1, 2) });
        Assert.Equal(4, second.Remaining);
    }

    [Fact]
    public void More_shards_than_inputs_leave_some_empty()
    {
        EmbedResult[] shards = [.. Enumerable.Range(0, 10).Select(i => Run(options: new EmbedOptions(Output) { Shard = new Shard(i, 10) }))];
        Assert.Equal((6, 1), (shards.Sum(s => s.Count), shards.Sum(s => s.Errors)));
        Assert.Equal(_inputs[..6], Enumerable.Range(0, 10).SelectMany(i => MetadataFile.Read(Path.Combine(Output, "metadata", $"metadata_{i}.parquet"), MetadataFile.ImagePath)));
    }

    [Fact]
    public void Metadata_of_many_rows_come_back()
    {
        string file = Path.Combine(_folder, "many.parquet");
        string[] values = [.. Enumerable.Range(0, 150_000).Select(i => i % 7 == 0 ? "" : $"ä/{i}\n.png")];
        MetadataFile.Write(file, "caption", values);
        Assert.Equal(values, MetadataFile.Read(file, "caption"));
    }

    [Fact]
    public void Damaged_metadata_are_an_input_fault()
    {
        string file = Path.Combine(_folder, "whole.parquet"), damaged = Path.Combine(_folder, "damaged.parquet");
        MetadataFile.Write(file, "caption", Enumerable.Range(0, 100).Select(i => $"{i}"));
        byte[] whole = File.ReadAllBytes(file);
        for (int length = 0; length < whole.Length; length += 7)
        {
            File.WriteAllBytes(damaged, whole[..length]);
            Assert.Contains(damaged, Assert.Throws<InvalidDataException>(() => MetadataFile.Read(damaged, "caption")).Message, StringComparison.Ordinal);
        }
    }

    private static (int, int) Counts(EmbedResult result) => (result.Count, result.Errors);

    private EmbedResult Run(Action<int>? progress = null, EmbedOptions? options = null, CancellationToken cancellation = default)
    {
        using var run = EmbedRun.Open(_clip, _session, _inputs, options ?? new EmbedOptions(Output) { Batch = 2 });
        return run.Run(progress, cancellation);
    }

    private Dictionary<string, string> Files() => Directory.EnumerateFiles(Output, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
        .ToDictionary(f => Path.GetRelativePath(Output, f), f => Convert.ToHexString(File.ReadAllBytes(f)));
}
