using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using VlmKernels.Tasks;
using VlmKernels.Testing;
using Xunit;

namespace VlmKernels.Cli.Tests;

/// <summary>What a run of <c>vlm embed</c> wrote for one shard, read by other code than wrote it.</summary>
internal sealed partial record Embeddings(byte[] File, byte[] Data, int Rows, int Width, string Type, string[] Inputs)
{
    public ReadOnlySpan<float> Row(int index) => MemoryMarshal.Cast<byte, float>(Data).Slice(index * Width, Width);

    public static Embeddings Read(string folder, int shard = 0, string kind = "img_emb", string column = "image_path")
    {
        byte[] file = System.IO.File.ReadAllBytes(Path.Combine(folder, kind, $"{kind}_{shard}.npy"));
        Assert.Equal("\u0093NUMPY\u0001\0", Encoding.Latin1.GetString(file, 0, 8));
        int start = 10 + BinaryPrimitives.ReadUInt16LittleEndian(file.AsSpan(8));
        Assert.Equal(0, start % 64);
        var header = Header().Match(Encoding.Latin1.GetString(file, 10, start - 10));
        Assert.True(header.Success);
        int rows = int.Parse(header.Groups["rows"].Value, CultureInfo.InvariantCulture), width = int.Parse(header.Groups["width"].Value, CultureInfo.InvariantCulture);
        string type = header.Groups["type"].Value;
        Assert.Equal(rows * width * (type == "<f4" ? 4 : 2), file.Length - start);
        string[] inputs = MetadataFile.Read(Path.Combine(folder, "metadata", $"metadata_{shard}.parquet"), column);
        Assert.Equal(rows, inputs.Length);
        return new Embeddings(file, file[start..], rows, width, type, inputs);
    }

    /// <summary>The files of a folder, by their names in it; runs must leave nothing but their results.</summary>
    public static string[] Files(string folder) => [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];

    /// <summary>Writes garments of Fashion-MNIST as BMP files, with a damaged one here and there.</summary>
    public static void WritePictures(string folder, int count, int damagedEvery)
    {
        using var packed = new GZipStream(System.IO.File.OpenRead(Path.Combine(Fixtures.Repository, "tests/data/fashion-mnist/t10k-images-idx3-ubyte.gz")), CompressionMode.Decompress);
        using var all = new MemoryStream();
        packed.CopyTo(all);
        for (int i = 0; i < count; i++)
        {
            byte[] picture = i % damagedEvery == damagedEvery - 1 ? [1, 2, 3] : Bmp(all.GetBuffer().AsSpan(16 + (i * 784), 784));
            System.IO.File.WriteAllBytes(Path.Combine(folder, $"{i:D5}.bmp"), picture);
        }
    }

    /// <summary>28 × 28 grey values as 24 bit BMP, whose rows of 84 bytes need no padding.</summary>
    private static byte[] Bmp(ReadOnlySpan<byte> grey)
    {
        byte[] file = new byte[54 + (784 * 3)];
        (file[0], file[1], file[10], file[14], file[18], file[22], file[26], file[28]) = ((byte)'B', (byte)'M', 54, 40, 28, 28, 1, 24);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(2), file.Length);
        for (int i = 0; i < 784 * 3; i++) file[54 + i] = grey[((27 - (i / 84)) * 28) + (i % 84 / 3)];
        return file;
    }

    [GeneratedRegex(@"^\{'descr': '(?<type><f[24])', 'fortran_order': False, 'shape': \((?<rows>\d+), (?<width>\d+)\), \} *\n$")]
    private static partial Regex Header();
}
