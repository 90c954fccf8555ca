using System.Buffers.Binary;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damages picture files in the ways that find bugs in decoders; the same seed gives the same file.</summary>
public sealed class PictureMutations(IReadOnlyList<(string Name, byte[] Bytes)> files)
{
    private static readonly uint[] Extremes = [0, 1, 2, 7, 8, 9, 255, 256, 4096, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    /// <summary>A damaged copy of one of the files.</summary>
    public (string Name, byte[] Bytes) Make(int seed)
    {
        var random = new Random(seed);
        (string name, byte[] original) = files[random.Next(files.Count)];
        byte[] bytes = [.. original];
        for (int count = random.Next(1, 5); count > 0 && bytes.Length > 0; count--) bytes = Damage(bytes, random);
        // Half of the damaged PNG files get right checksums again, or hardly anything would pass the header.
        if (random.Next(2) == 0) RepairChecksums(bytes);
        return (name, bytes);
    }

    private byte[] Damage(byte[] bytes, Random random)
    {
        int at = Position(bytes, random);
        switch (random.Next(6))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 1: bytes[at] = (byte)random.Next(256); return bytes;
            case 2: return bytes[..random.Next(bytes.Length)];
            case 3: WriteExtreme(bytes.AsSpan(at), random); return bytes;
            case 4: return Splice(bytes, files[random.Next(files.Count)].Bytes, random);
            default: return Splice(bytes, bytes, random);
        }
    }

    // Headers are where damage does most.
    private static int Position(byte[] bytes, Random random) => random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, 64));

    private static void WriteExtreme(Span<byte> target, Random random)
    {
        uint value = Extremes[random.Next(Extremes.Length)];
        bool little = random.Next(2) == 0;
        if (target.Length >= 4 && random.Next(2) == 0)
        {
            if (little) BinaryPrimitives.WriteUInt32LittleEndian(target, value);
            else BinaryPrimitives.WriteUInt32BigEndian(target, value);
        }
        else if (target.Length >= 2)
        {
            if (little) BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)value);
            else BinaryPrimitives.WriteUInt16BigEndian(target, (ushort)value);
        }
    }

    // A stretch of one file in place of a stretch of another.
    private static byte[] Splice(byte[] into, byte[] from, Random random)
    {
        int start = random.Next(from.Length), length = random.Next(1, Math.Min(from.Length - start, 2000) + 1);
        int at = random.Next(into.Length), removed = random.Next(Math.Min(into.Length - at, 2000) + 1);
        return [.. into[..at], .. from[start..(start + length)], .. into[(at + removed)..]];
    }

    private static void RepairChecksums(byte[] bytes)
    {
        if (bytes.Length < 8 || bytes[1] != 'P') return;
        for (long at = 8; at + 12 <= bytes.Length;)
        {
            long length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan((int)at));
            if (at + 12 + length > bytes.Length) return;
            uint sum = Crc(bytes.AsSpan((int)at + 4, (int)length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan((int)(at + 8 + length)), sum);
            at += 12 + length;
        }
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
        }
        return ~crc;
    }
}
