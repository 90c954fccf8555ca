using System.Buffers.Binary;
using System.IO.Compression;
using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>Pictures that each belong to one class.</summary>
public abstract class LabelledPictures
{
    /// <summary>Number of pictures.</summary>
    public abstract int Count { get; }

    /// <summary>Number of classes.</summary>
    public abstract int Classes { get; }

    /// <summary>Names of the classes where the dataset has them; empty otherwise.</summary>
    public abstract IReadOnlyList<string> Names { get; }

    /// <summary>The class of a picture, 0 to <see cref="Classes"/> − 1.</summary>
    public abstract int Label(int index);

    /// <summary>Decodes a picture, in the mode of its file. Thread-safe.</summary>
    /// <exception cref="ImageFormatException">The picture cannot be read.</exception>
    public abstract NativeImage Read(int index, DecodeOptions options);

    /// <summary>Opens a dataset: a folder with one folder of pictures per class, or an IDX file of grey pictures whose file of labels lies beside it.</summary>
    /// <exception cref="InvalidDataException">The folder or file is not of either form.</exception>
    /// <exception cref="IOException">A file is missing or cannot be read.</exception>
    public static LabelledPictures Open(string path) => Directory.Exists(path) ? new PictureFolders(path) : new IdxPictures(path);
}

/// <summary>A folder per class, named as the class; classes and pictures in the order of their names.</summary>
internal sealed class PictureFolders : LabelledPictures
{
    private readonly List<(string File, int Label)> _pictures = [];
    private readonly string[] _names;
    private readonly SkiaImageDecoder _decoder = new();

    public PictureFolders(string path)
    {
        string[] folders = [.. Directory.EnumerateDirectories(path).Order(StringComparer.Ordinal)];
        if (folders.Length == 0) throw new InvalidDataException($"{path}: expected one folder of pictures per class, found no folder");
        _names = [.. folders.Select(f => Path.GetFileName(f))];
        for (int label = 0; label < folders.Length; label++)
        {
            foreach (string file in Directory.EnumerateFiles(folders[label]).Order(StringComparer.Ordinal)) _pictures.Add((file, label));
        }
        if (_pictures.Count == 0) throw new InvalidDataException($"{path}: its {folders.Length} folders hold no file");
    }

    public override int Count => _pictures.Count;

    public override int Classes => _names.Length;

    public override IReadOnlyList<string> Names => _names;

    public override int Label(int index) => _pictures[index].Label;

    public override NativeImage Read(int index, DecodeOptions options) => _decoder.DecodeNativeFile(_pictures[index].File, options);
}

/// <summary>
/// The IDX files of MNIST and its kin (LeCun, Cortes and Burges), packed or not: <c>…-images-idx3-ubyte[.gz]</c> with
/// <c>…-labels-idx1-ubyte[.gz]</c> beside it.
/// </summary>
internal sealed class IdxPictures : LabelledPictures
{
    private const int ImagesMagic = 0x803, LabelsMagic = 0x801, ImagesHeader = 16, LabelsHeader = 8;

    // Far above any published file of this kind (EMNIST has 650 MB), far below what would fill a machine.
    private const long MostBytes = 1L << 30;

    private readonly byte[] _pixels, _labels;
    private readonly int _width, _height;

    public IdxPictures(string path)
    {
        string labels = LabelsBeside(path);
        byte[] images = Unpack(path, ImagesMagic, ImagesHeader), classes = Unpack(labels, LabelsMagic, LabelsHeader);
        Count = BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(4));
        (_height, _width) = (BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(8)), BinaryPrimitives.ReadInt32BigEndian(images.AsSpan(12)));
        if (Count <= 0 || _height <= 0 || _width <= 0 || (long)Count * _height * _width != images.Length - ImagesHeader)
        {
            throw new InvalidDataException($"{path}: its header says {Count} pictures of {_width}×{_height}, but {images.Length - ImagesHeader} bytes follow");
        }
        int labelled = BinaryPrimitives.ReadInt32BigEndian(classes.AsSpan(4));
        if (labelled != Count || classes.Length - LabelsHeader != Count) throw new InvalidDataException($"{labels}: expected {Count} labels, found {labelled} in the header and {classes.Length - LabelsHeader} bytes");
        (_pixels, _labels) = (images[ImagesHeader..], classes[LabelsHeader..]);
        Classes = _labels.Max() + 1;
    }

    public override int Count { get; }

    public override int Classes { get; }

    public override IReadOnlyList<string> Names => [];

    public override int Label(int index) => _labels[index];

    public override NativeImage Read(int index, DecodeOptions options)
    {
        int size = _width * _height;
        var rgb = new byte[size * 3];
        for (int i = 0; i < rgb.Length; i++) rgb[i] = _pixels[(index * size) + (i / 3)];
        return new RgbImage(_width, _height, rgb);
    }

    private static string LabelsBeside(string path)
    {
        string name = Path.GetFileName(path), labels = name.Replace("images", "labels", StringComparison.Ordinal).Replace("idx3", "idx1", StringComparison.Ordinal);
        string beside = Path.Combine(Path.GetDirectoryName(path) ?? "", labels);
        if (labels == name) throw new InvalidDataException($"{path}: expected a folder, or an IDX file named …-images-idx3-ubyte or …-images-idx3-ubyte.gz");
        return File.Exists(beside) ? beside : throw new FileNotFoundException($"{path}: found no file of labels beside it; expected {labels}");
    }

    private static byte[] Unpack(string path, int magic, int header)
    {
        using var file = File.OpenRead(path);
        using Stream content = path.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Decompress) : file;
        using var all = new MemoryStream();
        var chunk = new byte[1 << 16];
        for (int read; (read = content.Read(chunk)) > 0;)
        {
            if (all.Length + read > MostBytes) throw new InvalidDataException($"{path}: more than {MostBytes >> 20} MiB");
            all.Write(chunk, 0, read);
        }
        byte[] bytes = all.ToArray();
        if (bytes.Length < header) throw new InvalidDataException($"{path}: expected an IDX header of {header} bytes, found {bytes.Length}");
        int found = BinaryPrimitives.ReadInt32BigEndian(bytes);
        return found == magic ? bytes : throw new InvalidDataException($"{path}: expected the IDX number {magic:X8}, found {found:X8}");
    }
}
