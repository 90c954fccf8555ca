using System.IO.Compression;
using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>
/// The bytes of a storage or another record: a range of a mapped file, or an entry of a zip archive. An entry's checksum is tested when its bytes
/// are first asked for; a deflated one is then unpacked to a temporary file, so that it takes no memory either.
/// </summary>
internal sealed class TorchRecord : IDisposable
{
    private const int Piece = 1 << 20;

    // Below this, what was read for the checksum may stay resident: it is about to be read again.
    private const int KeptResident = 1 << 26;

    private readonly MappedFile _archive;
    private readonly ZipEntry? _entry;
    private readonly Lock _lock = new();
    private MappedFile? _unpacked;
    private long _start;
    private volatile bool _isReady;

    /// <summary>A range of a file without checksums.</summary>
    public TorchRecord(MappedFile file, string name, long start, long length)
    {
        (_archive, Name, _start, Length, _isReady) = (file, name, start, length, true);
    }

    /// <summary>An entry of an archive.</summary>
    public TorchRecord(MappedFile archive, ZipEntry entry)
    {
        (_archive, Name, _entry, Length) = (archive, entry.Name, entry, entry.Length);
    }

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>Bytes in it.</summary>
    public long Length { get; }

    /// <summary>The mapped file in which the bytes lie, and where they begin.</summary>
    /// <exception cref="WeightFileException">The bytes are not those that were written.</exception>
    /// <exception cref="ObjectDisposedException">The file was disposed.</exception>
    public (MappedFile File, long Start) Open()
    {
        if (!_isReady) Prepare();
        return (_unpacked ?? _archive, _start);
    }

    /// <summary>Lets a range's resident pages go.</summary>
    public void Release(long offset, long length)
    {
        if (_isReady) (_unpacked ?? _archive).Release(_start + offset, length);
    }

    public void Dispose() => _unpacked?.Dispose();

    private void Prepare()
    {
        lock (_lock)
        {
            if (_isReady) return;
            using MappedFile.Hold hold = _archive.Keep();
            ZipEntry entry = _entry!;
            long start = ZipDirectory.DataStart(_archive, entry);
            var crc = new Crc32();
            if (!entry.IsDeflated) Hash(crc, start);
            else if (Length > 0) _unpacked = MappedFile.Temporary(_archive.Path, Length, into => Unpack(crc, start, into));
            if (crc.GetCurrentHashAsUInt32() != entry.Crc)
            {
                _unpacked?.Dispose();
                throw new WeightFileException(_archive.Path, Name, $"bytes with the CRC-32 {entry.Crc:x8}", $"{crc.GetCurrentHashAsUInt32():x8}; the file is damaged");
            }
            _start = entry.IsDeflated ? 0 : start;
            _isReady = true;
        }
    }

    private void Hash(Crc32 crc, long start)
    {
        for (long done = 0; done < Length; done += Piece)
        {
            int count = (int)Math.Min(Piece, Length - done);
            _archive.Populate(start + done, count);
            crc.Append(_archive.Span(start + done, count));
            if (Length > KeptResident) _archive.Release(start + done, count);
        }
    }

    private unsafe void Unpack(Crc32 crc, long start, Stream into)
    {
        fixed (byte* packed = &MemoryMarshal.GetReference(_archive.Span(start, 0)))
        {
            using var bytes = new UnmanagedMemoryStream(packed, _entry!.PackedLength);
            using var inflater = new DeflateStream(bytes, CompressionMode.Decompress);
            byte[] piece = new byte[Math.Min(Piece, Length)];
            for (long left = Length; left > 0;)
            {
                int count = Inflate(inflater, piece.AsSpan(0, (int)Math.Min(piece.Length, left)));
                if (count == 0) throw new WeightFileException(_archive.Path, Name, $"{Length} bytes once unpacked", $"{Length - left}");
                crc.Append(piece.AsSpan(0, count));
                into.Write(piece, 0, count);
                left -= count;
            }
            if (Inflate(inflater, piece.AsSpan(0, 1)) > 0) throw new WeightFileException(_archive.Path, Name, $"{Length} bytes once unpacked", "more");
        }
    }

    private int Inflate(DeflateStream inflater, Span<byte> into)
    {
        try
        {
            return inflater.Read(into);
        }
        catch (InvalidDataException e)
        {
            throw new WeightFileException(_archive.Path, Name, "deflated bytes", e.Message, e);
        }
    }
}
