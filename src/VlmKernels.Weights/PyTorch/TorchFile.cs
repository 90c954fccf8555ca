using System.Text;

namespace VlmKernels.Weights;

/// <summary>
/// Weights as <c>torch.save</c> and <c>torch.jit.save</c> write them: a zip archive of one pickle and a record per storage, or the container in
/// use before torch 1.6. The pickle is read, never executed (torch/serialization.py, torch/csrc/jit/serialization).
/// </summary>
/// <remarks>
/// Structure, names, shapes and views are checked when the file is opened. Records of storages are touched when a tensor in them is first read; a
/// wrong checksum shows then, or in <see cref="WeightFile.Verify"/>.
/// </remarks>
public sealed class TorchFile : WeightFile
{
    private const string PickleName = "/data.pkl", ByteOrderName = "byteorder";

    // Repetitive as they are, pickles of weights pack three to six times.
    private const long MostPacked = 64, LeastUnpacked = 1 << 16, LongestPickle = 1 << 28;

    private readonly MappedFile _file;
    private readonly List<TorchRecord> _opened = [];

    private TorchFile(MappedFile file) : base(file.Path) => _file = file;

    /// <summary>Opens a file whose first bytes were seen to be of one of the two containers.</summary>
    /// <exception cref="WeightFileException">The file cannot be opened, is damaged, holds no weights, or names what could run code.</exception>
    internal static new TorchFile Open(string path)
    {
        var opened = new TorchFile(MappedFile.Open(path, least: 4));
        try
        {
            if (opened._file.Span(0, 2).SequenceEqual("PK"u8)) opened.ReadArchive();
            else opened.ReadLegacy();
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Verify()
    {
        foreach (TorchRecord record in _opened)
        {
            record.Open();
            record.Release(0, record.Length);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        foreach (TorchRecord record in _opened) record.Dispose();
        _file.Dispose();
    }

    private void ReadArchive()
    {
        IReadOnlyDictionary<string, ZipEntry> entries = new ZipDirectory(_file).Entries;
        string[] pickles = [.. entries.Keys.Where(name => name.EndsWith(PickleName, StringComparison.Ordinal) && name.IndexOf('/', StringComparison.Ordinal) == name.Length - PickleName.Length)];
        if (pickles is not [string pickle]) throw new WeightFileException(Path, null, "a PyTorch archive: one folder with data.pkl", $"{(pickles.Length == 0 ? "none" : string.Join(", ", pickles.Take(3).Select(WeightFileException.Quote)))} among {entries.Count} entries");
        string root = pickle[..^(PickleName.Length - 1)];
        var storages = new Dictionary<string, TorchRecord>(StringComparer.Ordinal);
        TorchRecord? Storage(string key)
        {
            if (!storages.TryGetValue(key, out TorchRecord? record) && entries.TryGetValue($"{root}data/{key}", out ZipEntry? entry)) storages.Add(key, record = Opened(entry));
            return record;
        }
        bool isBigEndian = IsBigEndian(entries, root + ByteOrderName);
        ReadTensors(ReadPickle(entries[pickle]), Storage, entries.Values.Sum(entry => Math.Min(entry.Length, long.MaxValue / entries.Count)), isBigEndian);
    }

    private Pickle ReadPickle(ZipEntry entry)
    {
        if (entry.Length > LongestPickle) throw new WeightFileException(Path, entry.Name, $"a pickle of at most {LongestPickle} bytes", $"{entry.Length}");
        if (entry.Length > Math.Max(LeastUnpacked, MostPacked * entry.PackedLength)) throw new WeightFileException(Path, entry.Name, $"a pickle of at most {MostPacked} times its packed size of {entry.PackedLength} bytes", $"{entry.Length}");
        (MappedFile file, long start) = Opened(entry).Open();
        return PickleReader.Read(new PickleBytes(file, entry.Name, start, entry.Length));
    }

    private TorchRecord Opened(ZipEntry entry)
    {
        var record = new TorchRecord(_file, entry);
        _opened.Add(record);
        return record;
    }

    /// <summary>Archives from before torch 2.1 do not say; they are little-endian.</summary>
    private bool IsBigEndian(IReadOnlyDictionary<string, ZipEntry> entries, string name)
    {
        const int longest = 6;
        if (!entries.TryGetValue(name, out ZipEntry? entry)) return false;
        (MappedFile file, long start) = Opened(entry).Open();
        string order = Encoding.ASCII.GetString(file.Span(start, (int)Math.Min(entry.Length, longest)));
        return order == "big" || (order == "little" ? false : throw new WeightFileException(Path, name, "little or big", WeightFileException.Quote(order)));
    }

    private void ReadLegacy()
    {
        var container = new LegacyContainer(_file);
        ReadTensors(container.Pickle, container.Storage, _file.Length, isBigEndian: false);
    }

    private void ReadTensors(Pickle pickle, Func<string, TorchRecord?> storages, long capacity, bool isBigEndian)
    {
        var weights = new StateDict(Path, pickle);
        var views = new TorchViews(Path, storages, capacity);
        foreach ((string name, PickleTensor tensor) in weights.Tensors) Add(new TorchTensor(name, Path, views.View(name, tensor), isBigEndian));
        Notes = weights.Notes;
    }
}
