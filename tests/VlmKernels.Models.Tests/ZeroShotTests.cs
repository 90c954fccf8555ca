using System.Buffers.Binary;
using System.IO.Compression;
using System.Text.Json;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Kernels.Cpu;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>The shipped model on all 10,000 Fashion-MNIST test pictures, against every single answer of its reference implementation.</summary>
public sealed class ZeroShotTests
{
    private const int Pictures = 10_000, BatchSize = 100;

    // A near-tie may fall the other way in another correct implementation.
    private const int FewestEqual = 9_990;

    [Fact]
    public void The_shipped_model_answers_like_its_reference_on_the_whole_test_set()
    {
        string folder = Path.Combine(Fixtures.Repository, "models", "fashion-clip");
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
        var expected = json.RootElement.GetProperty("zero_shot");
        string[] prompts = [.. expected.GetProperty("prompts").EnumerateArray().Select(p => p.GetString()!)];
        string predictions = expected.GetProperty("predictions").GetString()!;
        Assert.Equal(Pictures, predictions.Length);

        using var backend = new CpuBackend();
        using var clip = ClipRuntime.Open(folder, backend);
        using var session = new Session(backend);
        var classifier = new ZeroShotClassifier(clip, session, prompts, ["{}"]);
        int equal = 0, right = 0;
        byte[] labels = Unpack("t10k-labels-idx1-ubyte.gz", magic: 0x801, header: 8);
        byte[] pixels = Unpack("t10k-images-idx3-ubyte.gz", magic: 0x803, header: 16);
        for (int first = 0; first < Pictures; first += BatchSize)
        {
            float[][] rows = classifier.Probabilities(session, [.. Enumerable.Range(first, BatchSize).Select(i => Picture(pixels, i))]);
            for (int i = 0; i < BatchSize; i++)
            {
                int best = Array.IndexOf(rows[i], rows[i].Max());
                if (best == predictions[first + i] - '0') equal++;
                if (best == labels[first + i]) right++;
            }
        }
        Assert.True(equal >= FewestEqual, $"{equal} of {Pictures} answers are equal");
        Assert.InRange(right, expected.GetProperty("top1_correct").GetInt32() - 10, expected.GetProperty("top1_correct").GetInt32() + 10);
        TestContext.Current.TestOutputHelper?.WriteLine($"{equal} of {Pictures} answers equal, {right} right");
    }

    /// <summary>The content of an IDX file behind its header.</summary>
    private static byte[] Unpack(string name, int magic, int header)
    {
        using var file = new GZipStream(File.OpenRead(Path.Combine(Fixtures.Repository, "tests", "data", "fashion-mnist", name)), CompressionMode.Decompress);
        using var content = new MemoryStream();
        file.CopyTo(content);
        byte[] all = content.ToArray();
        Assert.Equal(magic, BinaryPrimitives.ReadInt32BigEndian(all));
        Assert.Equal(Pictures, BinaryPrimitives.ReadInt32BigEndian(all.AsSpan(4)));
        return all[header..];
    }

    private static RgbImage Picture(byte[] grey, int index)
    {
        const int side = 28;
        var rgb = new byte[side * side * 3];
        for (int i = 0; i < rgb.Length; i++) rgb[i] = grey[(index * side * side) + (i / 3)];
        return new RgbImage(side, side, rgb);
    }
}
