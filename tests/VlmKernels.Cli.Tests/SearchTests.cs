using System.Buffers.Binary;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Inputs;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

public sealed class SearchTests : IDisposable
{
    private static readonly string[] Pictures = [.. Enumerable.Range(1, 6).Select(i => Samples.Path($"scene-{i}.png"))];

    private const string Caption = "a purple sneaker on a gray background";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_picture_finds_itself_and_a_text_finds_its_article()
    {
        WriteIndex();
        var run = Vlm.Run("search", _folder.Path, "--text", "a photo of a sneaker", "--text", "a photo of a bag", "--picture", Pictures[4], "--top", "2", "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        var lines = run.JsonLines;
        Assert.Equal(["a photo of a sneaker", "a photo of a bag"], lines[..2].Select(l => l.GetProperty("text").GetString()));
        Assert.Equal(Pictures[2], lines[0].GetProperty("hits")[0].GetProperty("path").GetString());
        Assert.Equal(Pictures[5], lines[1].GetProperty("hits")[0].GetProperty("path").GetString());
        var own = lines[2].GetProperty("hits");
        Assert.Equal((Pictures[4], 1, 2), (own[0].GetProperty("path").GetString(), own[0].GetProperty("rank").GetInt32(), own.GetArrayLength()));
        Assert.Equal(1, own[0].GetProperty("score").GetDouble(), 1e-5);
    }

    [Fact]
    public void An_index_is_made_of_pictures_first_and_only_once()
    {
        string index = _folder["index"];
        string[] command = ["search", index, "--from", "models/samples", "--text", "a photo of a sneaker", "--top", "1", "--json"];
        var first = Vlm.Run(command);
        Assert.True(first.ExitCode == 0, first.ToString());
        Assert.Equal("models/samples/scene-3.png", first.JsonLines[0].GetProperty("hits")[0].GetProperty("path").GetString());
        var made = File.GetLastWriteTimeUtc(Path.Combine(index, "img_emb", "img_emb_0.npy"));
        Assert.Equal(first.Output, Vlm.Run(command).Output);
        Assert.Equal(made, File.GetLastWriteTimeUtc(Path.Combine(index, "img_emb", "img_emb_0.npy")));
    }

    [Fact]
    public void A_BLIP_that_matches_embeds_and_searches_too()
    {
        string index = _folder["index"];
        var embedded = Vlm.Run("embed", "models/samples", "--output", index, "--model", "fashion-blip-itm");
        Assert.True(embedded.ExitCode == 0, embedded.ToString());
        var hits = Vlm.Run("search", index, "--text", Caption, "--picture", Pictures[4], "--top", "1", "--model", "fashion-blip-itm", "--json").JsonLines;
        Assert.Equal(Pictures[2], hits[0].GetProperty("hits")[0].GetProperty("path").GetString());
        Assert.Equal(1, hits[1].GetProperty("hits")[0].GetProperty("score").GetDouble(), 1e-5);
        var matched = Vlm.Run("match", Pictures[2], Caption, "--json").Json;
        Assert.Equal(matched.GetProperty("cosine").GetDouble(), hits[0].GetProperty("hits")[0].GetProperty("score").GetDouble(), 1e-5);
    }

    [Fact]
    public void Candidates_are_read_together_with_the_text()
    {
        WriteIndex("nowhere.png");
        string[] command = ["search", _folder.Path, "--text", Caption, "--rerank", "--top", "2"];
        var ofClip = Vlm.Run([.. command, "--json"]);
        Assert.True(ofClip.ExitCode == 0, ofClip.ToString());
        Assert.StartsWith("note: left out: ", ofClip.Error, StringComparison.Ordinal);
        Assert.Contains("nowhere.png", ofClip.Error, StringComparison.Ordinal);
        var best = ofClip.Json.GetProperty("hits")[0];
        var matched = Vlm.Run("match", Pictures[2], Caption, "--json").Json;
        double probability = matched.GetProperty("match_probability").GetDouble();
        Assert.Equal(Pictures[2], best.GetProperty("path").GetString());
        Assert.Equal((probability, probability), (best.GetProperty("score").GetDouble(), best.GetProperty("match_probability").GetDouble()));
        Assert.InRange(best.GetProperty("index_score").GetDouble(), -1, 0.9999);
        Assert.Matches("^query +rank +score +index +match +path *\n", Vlm.Run(command).Output);
    }

    [Fact]
    public void Candidates_of_the_same_model_are_ordered_by_logit_and_cosine()
    {
        string[] command = ["search", _folder["index"], "--from", "models/samples", "--text", Caption, "--model", "fashion-blip-itm", "--candidates", "3", "--top", "3", "--json"];
        var hits = Vlm.Run([.. command, "--rerank"]).Json.GetProperty("hits");
        Assert.Equal((3, Pictures[2]), (hits.GetArrayLength(), hits[0].GetProperty("path").GetString()));
        Assert.NotEqual(hits[0].GetProperty("match_probability").GetDouble(), hits[0].GetProperty("score").GetDouble());
        Assert.Equal(Vlm.Run([.. command, "--rerank", "models/fashion-blip-itm"]).Json.ToString(), Vlm.Run([.. command, "--rerank"]).Json.ToString());
    }

    [Fact]
    public void The_table_and_the_sheet_show_the_hits()
    {
        WriteIndex("nowhere.png");
        string sheet = _folder["sheet.png"];
        var run = Vlm.Run("search", _folder.Path, "--picture", Pictures[2], "--sheet", sheet);
        Assert.True(run.ExitCode == 0, run.ToString());
        Assert.Equal($"note: grey on the sheet: {Path.Combine(Path.GetDirectoryName(_folder.Path)!, "nowhere.png")}: expected a picture, found nothing\n", run.Error);
        string[] lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(7, lines.Length);
        Assert.Matches(@"^models/samples/scene-3\.png +1 +1\.0000 models/samples/scene-3\.png$", lines[1]);
        byte[] png = File.ReadAllBytes(sheet);
        Assert.Equal((5 * ContactSheet.TileWidth, 2 * ContactSheet.TileHeight), (BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20))));
        var pixels = new SkiaImageDecoder().DecodeFile(sheet).Pixels;
        // The text beneath the first picture.
        Assert.True(pixels[(3 * 5 * ContactSheet.TileWidth * 208)..(3 * 5 * ContactSheet.TileWidth * 232)].IndexOf((byte)0) >= 0);
        Assert.Equal(["img_emb", "metadata", "sheet.png"], Directory.EnumerateFileSystemEntries(_folder.Path).Select(f => Path.GetFileName(f)!).Order());
    }

    [Fact]
    public void What_does_not_fit_is_an_error()
    {
        IndexFolder.Write(_folder.Path, "0", [[1, 2, 3]], ["a"]);
        Fails($"{_folder["img_emb/img_emb_0.npy"]}: expected embeddings of 128 numbers, as the model makes them, found 3", "--text", "bag");
        Fails("nothing to search for: give --text or --picture");
        Fails("--candidates: belongs to --rerank", "--text", "bag", "--candidates", "5");
        Fails("--candidates: expected at least the hits to print, 10, found 5", "--text", "bag", "--rerank", "--candidates", "5");
        Fails("--rerank: expected texts to search for, found --picture", "--picture", Pictures[0], "--rerank");
        Fails("--top: expected at least 1, found 0", "--text", "bag", "--top", "0");
        Fails("nowhere.png: expected a picture, found nothing", "--picture", "nowhere.png");
    }

    private void Fails(string message, params string[] options)
    {
        var run = Vlm.Run(["search", _folder.Path, .. options]);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Equal($"vlm: {message}\n", run.Error);
    }

    private void WriteIndex(string? instead = null)
    {
        using var backend = new CpuBackend();
        using var clip = ClipRuntime.Open(Path.Combine(Fixtures.Repository, "models/fashion-clip"), backend);
        using var session = new Session(backend);
        var embeddings = clip.EmbedImages(session, [.. Pictures.Select(p => new SkiaImageDecoder().DecodeNativeFile(Path.Combine(Fixtures.Repository, p), clip.Pipeline.DecodeOptions(applyOrientation: true)))]);
        float[] values = new float[embeddings.Shape.Count];
        session.CopyOut<float>(embeddings, values);
        IndexFolder.Write(_folder.Path, "0", [.. values.Chunk(clip.EmbeddingSize)], instead is null ? Pictures : [instead, .. Pictures[1..]]);
    }
}
