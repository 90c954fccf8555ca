using System.Buffers.Binary;

namespace VlmKernels.Weights;

/// <summary>
/// The container in use before torch 1.6: pickles of a magic number, a version, facts about the machine, the object and the storages' keys, then for
/// each key the number of elements and the elements (torch/serialization.py, <c>_legacy_save</c>). They are little-endian whatever the machine was: on a
/// big-endian one torch swaps them as it writes, and <c>little_endian</c> among the facts is never looked at (torch/csrc/serialization.cpp).
/// </summary>
internal sealed class LegacyContainer
{
    private const int Version = 1001;

    private readonly MappedFile _file;
    private readonly Dictionary<string, TorchRecord> _storages = new(StringComparer.Ordinal);
    private long _position;

    /// <exception cref="WeightFileException">The file is another pickle, is malformed or cut short.</exception>
    public LegacyContainer(MappedFile file)
    {
        _file = file;
        Int128 magic = new(0x1950, 0xa86a20f9469cfc6c);
        if (Next("magic number").Root is not PickleInteger number || number.Value != magic) throw new WeightFileException(file.Path, null, "a PyTorch file, which begins with its magic number", "a pickle of something else");
        if (Next("version").Root is not PickleInteger version || version.Value != Version) throw new WeightFileException(file.Path, null, $"version {Version} of the container", "another");
        Next("system");
        Pickle = Next("pickle");
        ReadStorages(Next("storage keys").Root);
    }

    /// <summary>The object that was saved.</summary>
    public Pickle Pickle { get; }

    /// <summary>A storage's bytes, or null.</summary>
    public TorchRecord? Storage(string key) => _storages.GetValueOrDefault(key);

    private Pickle Next(string item)
    {
        Pickle pickle = PickleReader.Read(new PickleBytes(_file, item, _position, _file.Length - _position));
        _position += pickle.Length;
        return pickle;
    }

    private void ReadStorages(PickleNode keys)
    {
        var sizes = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (PickleStorage storage in Pickle.Storages)
        {
            if (TorchTypes.ElementSize(storage.Type) is not { } size) throw new WeightFileException(_file.Path, storage.Key, "one of torch's storage classes", WeightFileException.Quote(storage.Type));
            if (storage.Key.Length <= StateDict.LongestName) sizes.TryAdd(storage.Key, size);
        }
        for (int i = 0; i < keys.Count; i++)
        {
            if (keys.Child(i).Node is not PickleText { Value: var key } || !sizes.TryGetValue(key, out int size)) throw new WeightFileException(_file.Path, "storage keys", "keys of storages that the pickle uses", $"another at place {i}");
            ReadStorage(key, size);
        }
    }

    private void ReadStorage(string key, int size)
    {
        const int countLength = sizeof(long);
        long left = _file.Length - _position - countLength;
        long count = left < 0 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(_file.Span(_position, countLength));
        if (count < 0 || count > left / size) throw new WeightFileException(_file.Path, $"storage {key}", $"its elements of {size} bytes at byte {_position}", left < 0 ? "the end of the file" : $"{count} of them in the {left} bytes that are left");
        if (!_storages.TryAdd(key, new TorchRecord(_file, key, _position + countLength, count * size))) throw new WeightFileException(_file.Path, $"storage {key}", "every storage once", "it twice");
        _position += countLength + count * size;
    }
}
