namespace VlmKernels.Weights.Tests;

/// <summary>A folder of its own for one test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("vlm-weights-");

    public string Path => _folder.FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => _folder.Delete(recursive: true);
}

/// <summary>Safetensors bytes put together by hand, right or wrong.</summary>
internal static class Handmade
{
    public static byte[] Bytes(string header, int dataLength = 0)
    {
        byte[] json = System.Text.Encoding.UTF8.GetBytes(header);
        return [.. BitConverter.GetBytes((ulong)json.Length), .. json, .. new byte[dataLength]];
    }

    /// <summary>A file with F32 vectors of four elements under the names given.</summary>
    public static void Write(string path, params string[] names) =>
        SafetensorsWriter.Write(path, names.Select(name => TensorSource.FromBytes(name, FileDType.F32, [4], new byte[16])));
}
