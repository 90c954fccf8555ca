using System.IO.Compression;
using System.Text;

namespace VlmKernels.Perf;

/// <summary>Makes PyTorch files of any size: a state dict of equal F32 vectors, each in a storage of its own.</summary>
internal static class TorchFileMaker
{
    /// <summary>Bytes of one tensor.</summary>
    public const int TensorBytes = 1 << 26;

    /// <summary>Writes a file with so many tensors.</summary>
    public static void Write(string path, int tensors)
    {
        byte[] bytes = new byte[TensorBytes];
        new Random(1).NextBytes(bytes);
        // Finite floats, so that every type can hold them.
        for (int i = 3; i < bytes.Length; i += sizeof(float)) bytes[i] = 0x3E;
        using ZipArchive zip = ZipFile.Open(path, ZipArchiveMode.Create);
        Write(zip, "made/data.pkl", Pickle(tensors));
        for (int i = 0; i < tensors; i++) Write(zip, $"made/data/{i}", bytes);
    }

    private static void Write(ZipArchive zip, string name, byte[] bytes)
    {
        using Stream stream = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
        stream.Write(bytes);
    }

    /// <summary>The opcodes that torch writes for <c>{'w0': tensor, …}</c>, but for their memo.</summary>
    private static byte[] Pickle(int tensors)
    {
        var pickle = new StringBuilder("\u0080\u0002}(");
        for (int i = 0; i < tensors; i++)
        {
            pickle.Append(Text($"w{i}")).Append("ctorch._utils\n_rebuild_tensor_v2\n((").Append(Text("storage")).Append("ctorch\nFloatStorage\n").Append(Text($"{i}")).Append(Text("cpu"))
                .Append(Number(TensorBytes / sizeof(float))).Append("tQK\0").Append(Number(TensorBytes / sizeof(float))).Append("\u0085K\u0001\u0085\u0089NtR");
        }
        return Encoding.Latin1.GetBytes(pickle.Append("u.").ToString());
    }

    private static string Text(string text) => $"X{(char)text.Length}\0\0\0{text}";

    private static string Number(int number) => "J" + Encoding.Latin1.GetString(BitConverter.GetBytes(number));
}
