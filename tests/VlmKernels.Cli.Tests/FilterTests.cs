using System.Buffers.Binary;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

public sealed class FilterTests : IDisposable
{
    private const string Right = "a purple sneaker on a gray background", Wrong = "a red bag above a blue coat";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Texts_that_fit_are_kept_with_their_probability()
    {
        string annotations = Annotate();
        var run = Vlm.Run("filter", annotations, "--output", _folder["kept.jsonl"]);
        Assert.Equal((1, "1 of 3 texts fit\n"), (run.ExitCode, run.Output));
        Assert.StartsWith("note: 1 of 3 pictures could not be read", run.Error, StringComparison.Ordinal);
        var again = Vlm.Run("filter", annotations, "--output", _folder["kept.jsonl"]);
        Assert.Equal((1, "1 of 3 texts fit\n"), (again.ExitCode, again.Output));
        Assert.Contains("1 of 3 pictures could not be read", again.Error, StringComparison.Ordinal);
        Assert.Contains("--overwrite starts anew and reads them again", again.Error, StringComparison.Ordinal);
        var lines = Lines("kept.jsonl");
        var kept = Assert.Single(lines[0].GetProperty("texts").EnumerateArray());
        Assert.Equal((Right, "web"), (kept.GetProperty("text").GetString(), kept.GetProperty("source").GetString()));
        double probability = Vlm.Run("match", Samples.Path("scene-3.png"), Right, "--json").Json.GetProperty("match_probability").GetDouble();
        Assert.Equal(probability, kept.GetProperty("match_probability").GetDouble(), 1e-6);
        Assert.EndsWith("nowhere.png", lines[1].GetProperty("file").GetString(), StringComparison.Ordinal);
        Assert.True(lines[1].TryGetProperty("error", out _));
        Assert.Equal(0, lines[2].GetProperty("texts").GetArrayLength());
        Assert.Equal("0 of 3 texts fit\n", Vlm.Run("filter", annotations, "--output", _folder["none.jsonl"], "--threshold", "1").Output);
    }

    [Fact]
    public void Captions_are_written_too_and_a_run_goes_on()
    {
        string[] command = ["filter", Annotate(), "--caption-model", "--threshold", "0", "--seed", "3", "--output"];
        var whole = Vlm.Run([.. command, _folder["whole.jsonl"]]);
        Assert.Equal((1, "5 of 5 texts fit\n"), (whole.ExitCode, whole.Output));
        Assert.Equal(["web", "web", "synthetic"], Lines("whole.jsonl")[0].GetProperty("texts").EnumerateArray().Select(t => t.GetProperty("source").GetString()));
        string text = File.ReadAllText(_folder["whole.jsonl"]);
        File.Copy(_folder["whole.jsonl.run.json"], _folder["part.jsonl.run.json"]);
        File.WriteAllText(_folder["part.jsonl"], $"{text[..(text.IndexOf('\n', StringComparison.Ordinal) + 1)]}{{\"file\":\"half");
        var rest = Vlm.Run([.. command, _folder["part.jsonl"]]);
        Assert.Equal((1, "5 of 5 texts fit\n"), (rest.ExitCode, rest.Output));
        Assert.Contains("going on after 1 of 3 pictures, which an earlier run did", rest.Error, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(_folder["part.jsonl"]));
        Fails("is of a run that differs. synthetic captions: expected ", "--output", _folder["whole.jsonl"], "--threshold", "0", "--caption-model", "--seed", "4");
    }

    [Fact]
    public void What_is_wrong_is_said()
    {
        Annotate();
        Fails("--threshold: expected 0 to 1, found 2", "--output", _folder["x.jsonl"], "--threshold", "2");
        Fails("--seed: belongs to --caption-model", "--output", _folder["x.jsonl"], "--seed", "2");
        Fails("expected a BLIP model that matches texts, found one that writes captions", "--output", _folder["x.jsonl"], "--model", "fashion-blip-caption");
        Assert.False(File.Exists(_folder["x.jsonl"]));
    }

    [Fact]
    public void Captions_of_other_weights_do_not_mix()
    {
        string[] command = ["caption", Samples.Path("scene-3.png"), Samples.Path("scene-6.png"), "--output", _folder["captions.jsonl"]];
        Assert.Equal(0, Vlm.Run(command).ExitCode);
        string other = _folder["fashion-blip-caption"];
        Directory.CreateDirectory(other);
        foreach (string file in Directory.GetFiles(Path.Combine(Fixtures.Repository, "models/fashion-blip-caption"))) File.Copy(file, Path.Combine(other, Path.GetFileName(file)));
        string weights = Path.Combine(other, "model.safetensors");
        byte[] bytes = File.ReadAllBytes(weights);
        for (int i = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(bytes); i < bytes.Length; i += 1000) bytes[i] ^= 1;
        File.WriteAllBytes(weights, bytes);
        var run = Vlm.Run([.. command, "--model", other]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("is of a run that differs. model and instruction set: expected ", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nonsense\n", "line 1: expected a JSON object with \"file\", found something else")]
    [InlineData("[1]\n", "line 1: expected a JSON object with \"file\", found something else")]
    [InlineData("{\"file\":\"other.png\",\"caption\":\"a bag\"}\n", "line 1: expected one of models/samples/scene-3.png, found one of other.png")]
    public void Lines_of_something_else_are_refused(string lines, string message)
    {
        string[] command = ["caption", Samples.Path("scene-3.png"), "--output", _folder["captions.jsonl"]];
        Assert.Equal(0, Vlm.Run(command).ExitCode);
        File.WriteAllText(_folder["captions.jsonl"], lines);
        var run = Vlm.Run(command);
        Assert.Equal((1, $"vlm: {_folder["captions.jsonl"]}, {message}; --overwrite starts anew\n"), (run.ExitCode, run.Error));
        Assert.Equal(lines, File.ReadAllText(_folder["captions.jsonl"]));
    }

    private string Annotate()
    {
        foreach (string file in (string[])["scene-3.png", "scene-6.png"]) File.Copy(Path.Combine(Fixtures.Repository, Samples.Path(file)), _folder[file]);
        string path = _folder["annotations.jsonl"];
        File.WriteAllText(path, $$"""
            {"image": "scene-3.png", "captions": ["{{Right}}", "{{Wrong}}"]}
            {"image": "nowhere.png", "caption": "{{Right}}"}
            {"image": "scene-6.png", "caption": "{{Wrong}}"}
            """);
        return path;
    }

    private JsonElement[] Lines(string file) => [.. File.ReadLines(_folder[file]).Select(l => JsonDocument.Parse(l).RootElement)];

    private void Fails(string message, params string[] options)
    {
        var run = Vlm.Run(["filter", _folder["annotations.jsonl"], .. options]);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }
}
