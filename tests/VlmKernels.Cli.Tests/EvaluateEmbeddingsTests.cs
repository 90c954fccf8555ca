using System.Text;
using System.Text.Json;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary><c>vlm evaluate embeddings</c> with the shipped model and what its reference implementation made of pictures and captions.</summary>
public sealed class EvaluateEmbeddingsTests
{
    private const int Count = 3;

    [Fact]
    public void Embeddings_of_the_reference_are_met_and_false_ones_are_not()
    {
        using var folder = Golden();
        var run = Vlm.Run("evaluate", "embeddings", folder.Path, "--json");
        Assert.True(run.ExitCode == 0, run.ToString());
        var files = run.Json.GetProperty("files").EnumerateArray().ToArray();
        Assert.Equal(2 * Count, files.Length);
        Assert.All(files, f => Assert.InRange(f.GetProperty("cosine").GetDouble(), 0.99999, 1.00001));

        File.Copy(folder["0-text.embedding.npy"], folder["1-text.embedding.npy"], overwrite: true);
        run = Vlm.Run("evaluate", "embeddings", folder.Path);
        Assert.Equal((1, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"1-text\.txt +- +-?0\.\d{6} +FAILED", run.Output);
        Assert.Contains($"{(2 * Count) - 1} of {2 * Count} passed: pixels within 0.04, cosines of at least 0.999", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nowhere: expected a folder, found nothing", "nowhere")]
    [InlineData("README.md: expected a folder, found a file", "README.md")]
    [InlineData("models: expected files NAME.pixels.npy or NAME.embedding.npy", "models")]
    [InlineData("208_495.pixels.npy.gz: expected 12288 pixels, which is what this model has, found [3, 224, 224]", "tests/data/golden-clip/clip-retrieval")]
    public void What_does_not_fit_is_refused(string message, string folder)
    {
        var run = Vlm.Run("evaluate", "embeddings", folder);
        Assert.Equal((1, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
    }

    private static TemporaryFolder Golden()
    {
        string scenes = Path.Combine(Fixtures.Repository, "tests", "fixtures", "zoo", "scenes");
        var rows = JsonDocument.Parse(File.ReadAllText(Path.Combine(scenes, "annotations.json"))).RootElement.GetProperty("scenes");
        var expected = JsonDocument.Parse(File.ReadAllText(Path.Combine(Fixtures.Repository, "models", "fashion-clip", "expected.json"))).RootElement.GetProperty("scenes");
        var folder = new TemporaryFolder();
        for (int i = 0; i < Count; i++)
        {
            folder.Write($"{i}.png", File.ReadAllBytes(Path.Combine(scenes, rows[i].GetProperty("file").GetString()!)));
            folder.Write($"{i}.embedding.npy", Npy(expected.GetProperty("first_8_image_embeddings")[i]));
            folder.Write($"{i}-text.txt", rows[i].GetProperty("caption").GetString() + "\n");
            folder.Write($"{i}-text.embedding.npy", Npy(expected.GetProperty("first_8_caption_embeddings")[i]));
        }
        return folder;
    }

    private static byte[] Npy(JsonElement embedding)
    {
        float[] values = [.. embedding.EnumerateArray().Select(v => v.GetSingle())];
        byte[] header = Encoding.ASCII.GetBytes($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({values.Length},), }}\n");
        return [0x93, .. "NUMPY\u0001\0"u8, (byte)header.Length, 0, .. header, .. values.SelectMany(BitConverter.GetBytes)];
    }
}
