using System.Security.Cryptography;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Weights.Tests;

/// <summary>Files that others published, and what conversion makes of one.</summary>
public class PublishedFileTests
{
    [Theory]
    [InlineData("test.pt", "'test' I64 [2, 4]", "")]
    [InlineData("test_with_key.pt", "'test' I64 [2, 4]", "the weights are those under 'model_state_dict'")]
    [InlineData("fortran_tensor_3d.pth", "'tensor_fortran' I64 [2, 3, 4]", "")]
    [InlineData("sa_0_4_vit_b_16_linear.pth", "'weight' F32 [1, 512], 'bias' F32 [1]", "")]
    public void A_published_file_opens(string name, string tensors, string notes)
    {
        using Checkpoint checkpoint = Checkpoint.Open(PathOf(name));
        Assert.Equal(tensors, string.Join(", ", checkpoint.Tensors.Values));
        Assert.Equal(notes, string.Join(", ", checkpoint.Notes));
        checkpoint.Verify();
    }

    [Fact]
    public void A_column_major_tensor_comes_in_rows()
    {
        using Checkpoint checkpoint = Checkpoint.Open(PathOf("fortran_tensor_3d.pth"));
        StoredTensor tensor = checkpoint.Tensors["tensor_fortran"];
        long[] values = new long[tensor.ElementCount], part = new long[7];
        tensor.ReadInt64s(0, values);
        Assert.Equal(Enumerable.Range(1, 24).Select(i => (long)i), values.Order());
        // Any stretch is the same as that of the whole.
        for (int first = 0; first + part.Length <= values.Length; first++)
        {
            tensor.ReadInt64s(first, part);
            Assert.Equal(values[first..(first + part.Length)], part);
        }
    }

    [Fact]
    public void A_converted_file_holds_the_same_tensors()
    {
        using var folder = new TemporaryFolder();
        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "weights", "plain-state-dict.pt"));
        SafetensorsWriter.Write(folder["converted.safetensors"], checkpoint.Tensors.Values.Select(tensor => TensorSource.Copy(tensor, tensor.Name)));
        using Checkpoint converted = Checkpoint.Open(folder["converted.safetensors"]);
        Assert.Equal(checkpoint.Tensors.Keys.Order(StringComparer.Ordinal), converted.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.All(checkpoint.Tensors.Values, tensor => Assert.Equal(Hash(tensor), Hash(converted.Tensors[tensor.Name])));
    }

    private static string PathOf(string name) => Path.Combine(Fixtures.Repository, "tests", "fixtures", "inputs", "torch", name);

    private static string Hash(StoredTensor tensor)
    {
        byte[] bytes = new byte[tensor.ByteLength];
        tensor.ReadBytes(0, bytes);
        return $"{tensor} {Convert.ToHexStringLower(SHA256.HashData(bytes))}";
    }
}
