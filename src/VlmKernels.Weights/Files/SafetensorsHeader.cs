using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Unicode;

namespace VlmKernels.Weights;

/// <summary>One tensor of a header: offsets are bytes from the end of the header.</summary>
internal readonly record struct HeaderEntry(string Name, FileDType DType, ImmutableArray<long> Shape, long Begin, long End);

/// <summary>
/// The JSON header of a safetensors file: <c>{"__metadata__": {…}, "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, …}</c>.
/// Parsing judges each entry by itself; <see cref="SafetensorsLayout"/> judges how they cover the file.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>Bytes of the little-endian length in front of the header.</summary>
    public const int Prefix = 8;

    /// <summary>The reference implementation's limit (MAX_HEADER_SIZE).</summary>
    public const int LongestHeader = 100_000_000;

    /// <summary>Name of the entry that is no tensor.</summary>
    public const string MetadataKey = "__metadata__";

    // More than NumPy or PyTorch can hold; keeps a shape of a million ones from costing more memory than its text.
    private const int MostExtents = 64;

    private static readonly JsonReaderOptions Strict = new() { MaxDepth = 4 };

    private readonly string _file;
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly List<HeaderEntry> _entries = [];

    private SafetensorsHeader(string file) => _file = file;

    public IReadOnlyList<HeaderEntry> Entries => _entries;

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Reads the length in front of the header and checks it against the format's limit and the file.</summary>
    public static int Length(MappedFile file)
    {
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span(0, Prefix));
        if (length > LongestHeader) throw new WeightFileException(file.Path, null, $"a header of at most {LongestHeader} bytes", $"{length}");
        if ((long)length > file.Length - Prefix) throw new WeightFileException(file.Path, null, $"a header that ends inside the file of {file.Length} bytes", $"{length} bytes of it");
        return (int)length;
    }

    /// <exception cref="WeightFileException">A rule of the format is broken.</exception>
    public static SafetensorsHeader Parse(string file, ReadOnlySpan<byte> json)
    {
        if (!Utf8.IsValid(json)) throw new WeightFileException(file, null, "a header in UTF-8", "bytes that are not");
        var header = new SafetensorsHeader(file);
        try
        {
            // White space around the object is allowed: writers pad the header with spaces to align the data.
            var reader = new Utf8JsonReader(json, Strict);
            reader.Read();
            header.ReadEntries(ref reader);
            reader.Read();
        }
        catch (JsonException e)
        {
            throw new WeightFileException(file, null, "a header that is one JSON object", e.Message, e);
        }
        return header;
    }

    private void ReadEntries(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, null, "a header that is one JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = Text(ref reader, null);
            if (!_names.Add(name)) throw Fault(name, "every name once", "it twice");
            reader.Read();
            if (name == MetadataKey) ReadMetadata(ref reader);
            else _entries.Add(ReadEntry(ref reader, name));
        }
    }

    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, MetadataKey, "an object of strings");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = Text(ref reader, MetadataKey);
            reader.Read();
            Expect(ref reader, JsonTokenType.String, MetadataKey, $"a string at {WeightFileException.Quote(key)}");
            if (!_metadata.TryAdd(key, Text(ref reader, MetadataKey))) throw Fault(MetadataKey, "every key once", $"{WeightFileException.Quote(key)} twice");
        }
    }

    private HeaderEntry ReadEntry(ref Utf8JsonReader reader, string name)
    {
        FileDType? dtype = null;
        ImmutableArray<long>? shape = null;
        ImmutableArray<long>? offsets = null;
        Expect(ref reader, JsonTokenType.StartObject, name, "an object with dtype, shape and data_offsets");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string field = Text(ref reader, name);
            reader.Read();
            if (field == "dtype" && dtype is null) dtype = ReadDType(ref reader, name);
            else if (field == "shape" && shape is null) shape = ReadExtents(ref reader, name, "shape", MostExtents);
            else if (field == "data_offsets" && offsets is null) offsets = ReadExtents(ref reader, name, "data_offsets", 2);
            else throw Fault(name, "dtype, shape and data_offsets, each once", $"another {WeightFileException.Quote(field)}");
        }
        if (dtype is null || shape is null || offsets is not [long begin, long end])
        {
            throw Fault(name, "dtype, shape and two data_offsets", "an entry that lacks one of them");
        }
        return Checked(new HeaderEntry(name, dtype.Value, shape.Value, begin, end));
    }

    private FileDType ReadDType(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, name, "a string as dtype");
        string text = Text(ref reader, name);
        return FileDTypes.TryParse(text, out FileDType dtype) ? dtype : throw Fault(name, $"a dtype of {FileDTypes.Known}", WeightFileException.Quote(text));
    }

    private ImmutableArray<long> ReadExtents(ref Utf8JsonReader reader, string name, string field, int most)
    {
        Expect(ref reader, JsonTokenType.StartArray, name, $"an array as {field}");
        var values = ImmutableArray.CreateBuilder<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            Expect(ref reader, JsonTokenType.Number, name, $"whole numbers in {field}");
            if (values.Count == most) throw Fault(name, $"at most {most} numbers in {field}", "more");
            if (!reader.TryGetUInt64(out ulong value) || value > long.MaxValue) throw Fault(name, $"whole numbers from 0 to {long.MaxValue} in {field}", "another number");
            values.Add((long)value);
        }
        return values.DrainToImmutable();
    }

    private HeaderEntry Checked(HeaderEntry entry)
    {
        long bytes;
        try
        {
            bytes = checked(StoredTensor.CountElements(entry.Shape.AsSpan()) * entry.DType.Size());
        }
        catch (OverflowException e)
        {
            throw new WeightFileException(_file, entry.Name, "a shape whose size in bytes fits 63 bits", $"[{string.Join(", ", entry.Shape)}]", e);
        }
        if (entry.Begin > entry.End) throw Fault(entry.Name, "data_offsets in ascending order", $"[{entry.Begin}, {entry.End}]");
        if (entry.End - entry.Begin == bytes) return entry;
        throw Fault(entry.Name, $"{bytes} bytes for {entry.DType.Name()} [{string.Join(", ", entry.Shape)}]", $"data_offsets [{entry.Begin}, {entry.End}]");
    }

    private void Expect(ref Utf8JsonReader reader, JsonTokenType type, string? key, string expected)
    {
        if (reader.TokenType != type) throw Fault(key, expected, $"{reader.TokenType}");
    }

    /// <summary>The string at hand. An escaped half of a surrogate pair is JSON, but no text.</summary>
    private string Text(ref Utf8JsonReader reader, string? key)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new WeightFileException(_file, key, "text", e.Message, e);
        }
    }

    private WeightFileException Fault(string? key, string expected, string found) => new(_file, key, expected, found);
}
