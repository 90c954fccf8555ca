using System.Text;
using Microsoft.Win32.SafeHandles;

namespace VlmKernels.Weights;

/// <summary>A file with tensors. What it is, its first bytes say; its name does not matter.</summary>
public abstract class WeightFile : IDisposable
{
    private const int HeadLength = 16;
    private const byte PickleProtocol = 0x80;

    private readonly Dictionary<string, StoredTensor> _tensors = new(StringComparer.Ordinal);

    /// <summary>Starts without tensors.</summary>
    private protected WeightFile(string path) => Path = path;

    /// <summary>The path it was opened from.</summary>
    public string Path { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, StoredTensor> Tensors => _tensors;

    /// <summary>Free texts in the file's header; empty where the format has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; private protected init; } = new Dictionary<string, string>();

    /// <summary>What else the file holds and was left out, for people.</summary>
    public IReadOnlyList<string> Notes { get; private protected set; } = [];

    /// <summary>Opens a safetensors or PyTorch file.</summary>
    /// <exception cref="WeightFileException">The file cannot be opened, is of another kind, or breaks its format.</exception>
    public static WeightFile Open(string path)
    {
        (byte[] head, long length) = Head(path);
        if (head.AsSpan().StartsWith("version https:"u8)) throw new WeightFileException(path, null, "weights", "a git-lfs pointer; fetch the file itself with git lfs pull");
        if (SafetensorsFile.IsLikely(head, length) || path.EndsWith(CheckpointFiles.Safetensors, StringComparison.OrdinalIgnoreCase) && !IsTorch(head)) return SafetensorsFile.Open(path);
        return IsTorch(head) ? TorchFile.Open(path) : throw new WeightFileException(path, null, "a safetensors or PyTorch file", Describe(head));
    }

    /// <summary>Tests every checksum that the format has; damage shows without it when a tensor is read.</summary>
    /// <exception cref="WeightFileException">Bytes are not those that were written.</exception>
    public virtual void Verify() { }

    /// <summary>Unmaps the file; its tensors can no longer be read.</summary>
    public abstract void Dispose();

    private protected void Add(StoredTensor tensor) => _tensors.Add(tensor.Name, tensor);

    private static bool IsTorch(ReadOnlySpan<byte> head) => head.StartsWith("PK"u8) || head is [PickleProtocol, <= 5, ..];

    private static (byte[] Head, long Length) Head(string path)
    {
        // To open a pipe would wait for whoever writes it.
        if (new FileInfo(path) is { Exists: true, Length: 0 }) throw new WeightFileException(path, null, "a safetensors or PyTorch file", "an empty file, a pipe or a device");
        try
        {
            using SafeFileHandle handle = File.OpenHandle(path);
            byte[] head = new byte[HeadLength];
            return (head[..RandomAccess.Read(handle, head, 0)], RandomAccess.GetLength(handle));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new WeightFileException(path, null, "a file that can be read", e.Message, e);
        }
    }

    private static string Describe(ReadOnlySpan<byte> head) => head switch
    {
        [] => "an empty file",
        [(byte)'<', ..] => "markup, perhaps the web page of a failed download",
        [0x1f, 0x8b, ..] => "a gzip archive; unpack it first",
        _ => $"a file that begins with {WeightFileException.Quote(Encoding.Latin1.GetString(head))}",
    };
}
