using System.Runtime.InteropServices;
using System.Text;
using Parquet;
using Parquet.Schema;

namespace VlmKernels.Testing;

/// <summary>Writes embeddings in clip-retrieval's layout.</summary>
public static class IndexFolder
{
    /// <summary>Writes one file of embeddings and its metadata.</summary>
    /// <param name="folder">The index's folder.</param>
    /// <param name="number">Number of the file, as it stands in names.</param>
    /// <param name="rows">Embeddings, all of one length.</param>
    /// <param name="paths">A path for each row.</param>
    /// <param name="half">Stores float16.</param>
    public static void Write(string folder, string number, float[][] rows, string[] paths, bool half = false)
    {
        float[] all = [.. rows.SelectMany(r => r)];
        byte[] data = half ? MemoryMarshal.AsBytes<Half>(all.Select(v => (Half)v).ToArray()).ToArray() : MemoryMarshal.AsBytes<float>(all).ToArray();
        WriteNpy(folder, number, $"{{'descr': '<f{(half ? 2 : 4)}', 'fortran_order': False, 'shape': ({rows.Length}, {rows[0].Length}), }}", data);
        string metadata = Directory.CreateDirectory(Path.Combine(folder, "metadata")).FullName;
        WriteColumn(Path.Combine(metadata, $"metadata_{number}.parquet"), "image_path", paths);
    }

    /// <summary>Writes a NumPy file with any header, padded as NumPy does.</summary>
    public static void WriteNpy(string folder, string number, string header, byte[] data)
    {
        byte[] text = Encoding.Latin1.GetBytes(header.PadRight(((header.Length + 10 + 64) / 64 * 64) - 11) + "\n");
        byte[] start = [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y', 1, 0, (byte)text.Length, (byte)(text.Length >> 8)];
        File.WriteAllBytes(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "img_emb")).FullName, $"img_emb_{number}.npy"), [.. start, .. text, .. data]);
    }

    /// <summary>Writes a Parquet file of one column of texts.</summary>
    public static void WriteColumn(string path, string column, string[] values) => WriteColumnAsync(path, column, values).GetAwaiter().GetResult();

    private static async Task WriteColumnAsync(string path, string column, string[] values)
    {
        var field = new DataField<string>(column);
        await using var file = File.Create(path);
        await using var writer = await ParquetWriter.CreateAsync(new ParquetSchema(field), file);
        using var group = writer.CreateRowGroup();
        await group.WriteAsync(field, values);
    }
}
