using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>The pictures that ship, and what the reference implementation says of those that show one article.</summary>
internal static class Samples
{
    public static string[] Labels { get; } = ["t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot"];

    public static string Path(string file) => $"models/samples/{file}";

    /// <summary>The main job: all labels of these pictures, as JSON.</summary>
    public static string[] Classify(string[] files, params string[] more)
        => ["classify", .. files.Select(Path), "--labels", .. Labels, "--top", $"{Labels.Length}", "--json", .. more];

    /// <summary>Checks one line of <c>classify --json</c>.</summary>
    public static void Check(JsonElement line, string file)
    {
        var expected = Expected(file);
        Assert.Equal(Path(file), line.GetProperty("file").GetString());
        Assert.Equal(expected.GetProperty("label").GetString(), line.GetProperty("label").GetString());
        foreach (var pair in expected.GetProperty("probabilities").EnumerateObject())
        {
            Assert.Equal(pair.Value.GetDouble(), line.GetProperty("probabilities").GetProperty(pair.Name).GetDouble(), 1e-4);
        }
    }

    private static JsonElement Expected(string file)
    {
        var all = JsonDocument.Parse(File.ReadAllText(System.IO.Path.Combine(Fixtures.Repository, Path("expected.json")))).RootElement;
        return all.EnumerateArray().Single(e => e.GetProperty("file").GetString() == file).GetProperty("classify");
    }
}
