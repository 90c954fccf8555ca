using System.Text;
using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Models.Tests;

/// <summary>Published pixels and embeddings: what is stored beside pictures and texts, and how it is compared.</summary>
public sealed class GoldenEmbeddingsTests
{
    private static readonly string Published = Path.Combine(Fixtures.Repository, "tests", "data", "golden-clip", "clip-retrieval");

    [Theory]
    [InlineData("208_495")]
    [InlineData("321_421")]
    [InlineData("416_264")]
    [InlineData("524_316")]
    public void The_pixels_of_the_real_model_are_within_the_tolerance(string name)
    {
        float difference = GoldenEmbeddings.PixelDifference(ImagePipeline.OpenAi(224), Path.Combine(Published, $"{name}.jpg"), Path.Combine(Published, $"{name}.pixels.npy.gz"));
        Assert.InRange(difference, 0, GoldenEmbedding.PixelTolerance);
        var embedding = NpyFile.Read(Path.Combine(Published, $"{name}.embedding.npy"));
        Assert.Equal([512], embedding.Shape);
        Assert.All(embedding.Values, v => Assert.True(float.IsFinite(v) && v != 0));
    }

    [Fact]
    public void A_model_meets_its_own_pixels_and_embeddings_and_no_others()
    {
        using var copy = new CaseCopy("clip-e2e");
        using var folder = new CaseCopy();
        using var backend = new ReferenceBackend();
        using var clip = ClipRuntime.Open(copy.Path, backend);
        using var session = new Session(backend);
        string picture = Path.Combine(folder.Path, "a.jpg");
        File.Copy(Path.Combine(Published, "208_495.jpg"), picture);
        var image = new SkiaImageDecoder().DecodeNativeFile(picture, clip.Pipeline.DecodeOptions(applyOrientation: false));
        float[] pixels = clip.Pipeline.ToTensor(image), embedding = new float[clip.EmbeddingSize];
        session.CopyOut<float>(clip.EmbedImages(session, [image]), embedding);
        File.WriteAllBytes(Path.Combine(folder.Path, "a.pixels.npy"), Npy(pixels));
        // Stored embeddings may have any length.
        File.WriteAllBytes(Path.Combine(folder.Path, "a.embedding.npy"), Npy([.. embedding.Select(v => 7 * v)]));
        var row = Assert.Single(GoldenEmbeddings.Run(clip, session, folder.Path).Rows);
        Assert.Equal((picture, 0f, true), (row.File, row.PixelDifference, row.Passed));
        Assert.Equal(1, row.Cosine!.Value, 1e-6);

        pixels[5] += 1;
        embedding[0] = float.NaN;
        File.WriteAllBytes(Path.Combine(folder.Path, "a.pixels.npy"), Npy(pixels));
        row = Assert.Single(GoldenEmbeddings.Run(clip, session, folder.Path).Rows);
        Assert.Equal((1f, false), (row.PixelDifference!.Value, row.Passed));
        File.Delete(Path.Combine(folder.Path, "a.pixels.npy"));
        File.WriteAllBytes(Path.Combine(folder.Path, "a.embedding.npy"), Npy(embedding));
        Assert.False(GoldenEmbeddings.Run(clip, session, folder.Path).Passed);

        File.Delete(picture);
        Assert.Contains("a.embedding.npy: expected one picture or text named a beside it, found none", Assert.Throws<InvalidDataException>(() => GoldenEmbeddings.Run(clip, session, folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", "for the shape [3], found 8 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", "for the shape [1], found 8 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (2,), }", "expected fortran_order False")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", "expected descr '<f2', '<f4' or '<f8'")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999, 99999), }", "for the shape [99999, 99999], found 8 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (134217728, 134217728, 134217728), }", "found 8 bytes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }", "expected a shape of whole numbers")]
    public void A_damaged_or_dishonest_NumPy_file_is_refused(string header, string message)
    {
        using var folder = new CaseCopy();
        string path = Path.Combine(folder.Path, "a.npy");
        File.WriteAllBytes(path, Npy([1, 2], header));
        string found = Assert.Throws<InvalidDataException>(() => NpyFile.Read(path)).Message;
        Assert.StartsWith(path, found, StringComparison.Ordinal);
        Assert.Contains(message, found, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_truncation_of_a_NumPy_file_is_refused()
    {
        using var folder = new CaseCopy();
        string path = Path.Combine(folder.Path, "a.npy");
        byte[] whole = Npy([1, 2]);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Throws<InvalidDataException>(() => NpyFile.Read(path));
        }
    }

    private static byte[] Npy(float[] values) => Npy(values, $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({values.Length},), }}");

    private static byte[] Npy(float[] values, string header)
        => [0x93, .. "NUMPY\u0001\0"u8, (byte)header.Length, 0, .. Encoding.ASCII.GetBytes(header), .. values.SelectMany(BitConverter.GetBytes)];
}
