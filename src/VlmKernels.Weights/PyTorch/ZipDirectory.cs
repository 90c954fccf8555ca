using System.Buffers.Binary;
using System.Text;

namespace VlmKernels.Weights;

/// <summary>One file in a zip archive, as the central directory describes it.</summary>
/// <param name="Name">Path inside the archive.</param>
/// <param name="IsDeflated">Whether its bytes are packed; otherwise they lie in the archive as they are.</param>
/// <param name="Crc">CRC-32 of the unpacked bytes.</param>
/// <param name="PackedLength">Bytes in the archive.</param>
/// <param name="Length">Bytes once unpacked.</param>
/// <param name="HeaderStart">Where the header in front of its bytes begins.</param>
internal sealed record ZipEntry(string Name, bool IsDeflated, uint Crc, long PackedLength, long Length, long HeaderStart);

/// <summary>
/// The central directory of a zip archive (PKWARE APPNOTE 4.3 and 4.5.3), stored and deflated entries only. Every entry is known to end in front
/// of the directory and to unpack to no more than deflate can hold; no entry itself is touched.
/// </summary>
internal sealed class ZipDirectory
{
    private const int EndLength = 22, EndLocatorLength = 20, End64Length = 56, HeaderLength = 46, LocalHeaderLength = 30, LongestComment = ushort.MaxValue;
    private const uint EndSignature = 0x06054b50, EndLocatorSignature = 0x07064b50, End64Signature = 0x06064b50, HeaderSignature = 0x02014b50, LocalSignature = 0x04034b50;
    private const ushort Stored = 0, Deflated = 8, Encrypted = 1, Zip64Extra = 1;

    // Deflate's best: 258 bytes in two bits, plus the end of a block.
    private const long DeflateGain = 1032, DeflateSlack = 1032;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly MappedFile _file;
    private readonly Dictionary<string, ZipEntry> _entries = new(StringComparer.Ordinal);

    /// <exception cref="WeightFileException">The directory is not there, is broken, or names what is not allowed.</exception>
    public ZipDirectory(MappedFile file)
    {
        _file = file;
        (long start, long length, long count) = FindDirectory();
        ReadEntries(file.Span(start, (int)length), start, count);
    }

    /// <summary>The entries by name.</summary>
    public IReadOnlyDictionary<string, ZipEntry> Entries => _entries;

    /// <summary>Where an entry's bytes begin; its own header must agree with the directory.</summary>
    /// <exception cref="WeightFileException">They differ.</exception>
    public static long DataStart(MappedFile file, ZipEntry entry)
    {
        ReadOnlySpan<byte> header = file.Span(entry.HeaderStart, LocalHeaderLength);
        int name = UInt16(header, 26), extra = UInt16(header, 28);
        long start = entry.HeaderStart + LocalHeaderLength + name + extra;
        if (UInt32(header, 0) != LocalSignature || start + entry.PackedLength > file.Length
            || !file.Span(entry.HeaderStart + LocalHeaderLength, name).SequenceEqual(Utf8.GetBytes(entry.Name)))
        {
            throw new WeightFileException(file.Path, entry.Name, $"the header of this entry at byte {entry.HeaderStart}, as the directory says", "another");
        }
        return start;
    }

    private (long Start, long Length, long Count) FindDirectory()
    {
        long end = FindEnd();
        ReadOnlySpan<byte> record = _file.Span(end, EndLength);
        long count = UInt16(record, 10), length = UInt32(record, 12), start = UInt32(record, 16);
        if (UInt16(record, 4) is not (0 or ushort.MaxValue)) throw Fault("an archive in one piece", "a part of one");
        if (end >= EndLocatorLength && _file.Span(end - EndLocatorLength, EndLocatorLength) is var locator && UInt32(locator, 0) == EndLocatorSignature)
        {
            ulong at = UInt64(locator, 8);
            end -= EndLocatorLength;
            if (end < End64Length || at > (ulong)(end - End64Length) || UInt32(_file.Span((long)at, End64Length), 0) != End64Signature)
            {
                throw Fault("the archive's 64-bit end record where it is said to be", $"none at byte {at}");
            }
            record = _file.Span((long)at, End64Length);
            (count, length, start, end) = ((long)UInt64(record, 32), (long)UInt64(record, 40), (long)UInt64(record, 48), (long)at);
        }
        if (start < 0 || length < 0 || start > end || length > end - start || length > int.MaxValue)
        {
            throw Fault($"a directory of entries that ends before byte {end}", $"{length} bytes from {start}");
        }
        return (start, length, count);
    }

    /// <summary>The end record is the last thing in the file but for a comment, whose length it gives.</summary>
    private long FindEnd()
    {
        long first = Math.Max(0, _file.Length - EndLength - LongestComment);
        ReadOnlySpan<byte> tail = _file.Span(first, (int)(_file.Length - first));
        for (int at = tail.Length - EndLength; at >= 0; at--)
        {
            if (UInt32(tail, at) == EndSignature && UInt16(tail, at + 20) == tail.Length - EndLength - at) return first + at;
        }
        throw Fault("a zip archive that ends with its directory", "none; the file may be cut short");
    }

    private void ReadEntries(ReadOnlySpan<byte> directory, long start, long count)
    {
        int at = 0;
        for (long i = 0; i < count; i++)
        {
            if (directory.Length - at < HeaderLength || UInt32(directory, at) != HeaderSignature) throw Fault($"{count} entries in the directory", $"no entry {i} at byte {start + at}");
            ReadOnlySpan<byte> header = directory[at..];
            int name = UInt16(header, 28), extra = UInt16(header, 30), comment = UInt16(header, 32), length = HeaderLength + name + extra + comment;
            if (length > header.Length) throw Fault("a directory whose entries end inside it", $"entry {i}, which does not");
            ZipEntry entry = ReadEntry(header, header.Slice(HeaderLength + name, extra), Name(header.Slice(HeaderLength, name)), start);
            if (!_entries.TryAdd(entry.Name, entry)) throw new WeightFileException(_file.Path, entry.Name, "every entry once", "it twice");
            at += length;
        }
        if (at != directory.Length) throw Fault($"a directory of {count} entries", "more behind them");
        // Entries that share bytes would make a small file promise as much as a large one.
        Int128 taken = 0;
        foreach (ZipEntry entry in _entries.Values) taken += entry.PackedLength + LocalHeaderLength;
        if (taken > start) throw Fault($"entries side by side in the {start} bytes in front of the directory", $"{taken} bytes of them");
    }

    private ZipEntry ReadEntry(ReadOnlySpan<byte> header, ReadOnlySpan<byte> extra, string name, long end)
    {
        long packed = UInt32(header, 20), unpacked = UInt32(header, 24), start = UInt32(header, 42);
        ReadOnlySpan<byte> wide = Extra(extra, Zip64Extra);
        // Only fields that overflow are there, in this order.
        if (unpacked == uint.MaxValue) unpacked = Wide(ref wide, name);
        if (packed == uint.MaxValue) packed = Wide(ref wide, name);
        if (start == uint.MaxValue) start = Wide(ref wide, name);
        ushort method = UInt16(header, 10);
        if ((UInt16(header, 8) & Encrypted) != 0 || method is not (Stored or Deflated)) throw new WeightFileException(_file.Path, name, "an entry that is stored or deflated", $"method {method} or encryption");
        if (packed < 0 || start < 0 || start > end - LocalHeaderLength || packed > end - LocalHeaderLength - start)
        {
            throw new WeightFileException(_file.Path, name, $"an entry that ends before byte {end}", $"{packed} bytes from {start}");
        }
        if (method == Stored ? unpacked != packed : unpacked < 0 || (unpacked - DeflateSlack) / DeflateGain > packed)
        {
            throw new WeightFileException(_file.Path, name, $"a size that {packed} bytes can hold", $"{unpacked}");
        }
        return new ZipEntry(name, method == Deflated, UInt32(header, 16), packed, unpacked, start);
    }

    /// <summary>Nothing is ever written under these names; one that points elsewhere is a sign of an archive made to harm.</summary>
    private string Name(ReadOnlySpan<byte> bytes)
    {
        string name;
        try
        {
            name = Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new WeightFileException(_file.Path, null, "entry names in UTF-8", Convert.ToHexStringLower(bytes[..Math.Min(bytes.Length, 40)]), e);
        }
        if (name.Contains("..", StringComparison.Ordinal) || name.StartsWith('/') || name.AsSpan().ContainsAny('\\', ':'))
        {
            throw new WeightFileException(_file.Path, name, "entries below one folder", "a name that leads out of it");
        }
        return name;
    }

    private long Wide(ref ReadOnlySpan<byte> wide, string name)
    {
        if (wide.Length < 8) throw new WeightFileException(_file.Path, name, "its size in 64 bits", "none");
        long value = (long)UInt64(wide, 0);
        wide = wide[8..];
        return value;
    }

    private static ReadOnlySpan<byte> Extra(ReadOnlySpan<byte> extra, ushort wanted)
    {
        while (extra.Length >= 4)
        {
            int length = Math.Min(UInt16(extra, 2), extra.Length - 4);
            if (UInt16(extra, 0) == wanted) return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return [];
    }

    private static ushort UInt16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint UInt32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong UInt64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private WeightFileException Fault(string expected, string found) => new(_file.Path, null, expected, found);
}
