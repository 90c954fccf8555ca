using System.Buffers.Binary;
using System.IO.Hashing;

namespace VlmKernels.Weights.Tests;

/// <summary>Damages PyTorch files in the ways that find bugs in readers; the same seed gives the same file.</summary>
internal sealed class TorchMutations(IReadOnlyList<(string Name, byte[] Bytes)> files)
{
    private const int LongestSplice = 400;

    private static readonly uint[] Extremes = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF];

    // Opcodes that need little else to be well-formed: containers, marks, calls, the memo.
    private static readonly byte[] Opcodes = "().012NQR]}abdehjlostu"u8.ToArray().Concat(new byte[] { 0x81, 0x85, 0x86, 0x87, 0x88, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94 }).ToArray();

    /// <summary>A damaged copy of one of the files.</summary>
    public (string Name, byte[] Bytes) Make(int seed)
    {
        var random = new Random(seed);
        (string name, byte[] original) = files[random.Next(files.Count)];
        byte[] bytes = [.. original];
        for (int count = random.Next(1, 5); count > 0 && bytes.Length > 0; count--) bytes = Damage(bytes, random);
        // Most get right checksums again, or hardly any pickle would be looked at.
        if (random.Next(8) != 0) RepairChecksums(bytes);
        return (name, bytes);
    }

    private byte[] Damage(byte[] bytes, Random random)
    {
        int at = Position(bytes, random);
        switch (random.Next(10))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 1: bytes[at] = (byte)random.Next(256); return bytes;
            case 2 or 3 or 4: bytes[at] = Opcodes[random.Next(Opcodes.Length)]; return bytes;
            case 5: return random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
            case 6: WriteExtreme(bytes.AsSpan(at), random); return bytes;
            case 7: return Overwrite(bytes, files[random.Next(files.Count)].Bytes, random);
            case 8: return Overwrite(bytes, bytes, random);
            default: return Splice(bytes, random);
        }
    }

    // Pickles lie in front, the directory of an archive at the end.
    private static int Position(byte[] bytes, Random random) => random.Next(4) switch
    {
        0 => random.Next(bytes.Length),
        1 => Math.Max(0, bytes.Length - 1 - random.Next(400)),
        _ => random.Next(Math.Min(bytes.Length, 600)),
    };

    private static void WriteExtreme(Span<byte> target, Random random)
    {
        uint value = Extremes[random.Next(Extremes.Length)];
        if (target.Length >= 4 && random.Next(2) == 0) BinaryPrimitives.WriteUInt32LittleEndian(target, value);
        else if (target.Length >= 2) BinaryPrimitives.WriteUInt16LittleEndian(target, (ushort)value);
    }

    // Sizes stay as they are, so that an archive remains one.
    private static byte[] Overwrite(byte[] into, byte[] from, Random random)
    {
        int start = random.Next(from.Length), at = Position(into, random);
        int length = Math.Min(random.Next(1, LongestSplice), Math.Min(from.Length - start, into.Length - at));
        from.AsSpan(start, length).ToArray().CopyTo(into, at);
        return into;
    }

    private static byte[] Splice(byte[] bytes, Random random)
    {
        int start = random.Next(bytes.Length), length = random.Next(1, Math.Min(bytes.Length - start, LongestSplice) + 1), at = random.Next(bytes.Length);
        return [.. bytes[..at], .. bytes[start..(start + length)], .. bytes[at..]];
    }

    /// <summary>Writes the checksums of stored entries into whatever looks like a directory.</summary>
    private static void RepairChecksums(byte[] bytes)
    {
        for (int at = bytes.AsSpan().IndexOf("PK\u0001\u0002"u8); at >= 0 && at + 46 <= bytes.Length;)
        {
            Span<byte> header = bytes.AsSpan(at);
            long start = BinaryPrimitives.ReadUInt32LittleEndian(header[42..]), length = BinaryPrimitives.ReadUInt32LittleEndian(header[20..]);
            if (header[10] == 0 && start + 30 <= bytes.Length)
            {
                start += 30 + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan((int)start + 26)) + BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan((int)start + 28));
                if (start + length <= bytes.Length) BinaryPrimitives.WriteUInt32LittleEndian(header[16..], Crc32.HashToUInt32(bytes.AsSpan((int)start, (int)length)));
            }
            int next = header[4..].IndexOf("PK\u0001\u0002"u8);
            if (next < 0) return;
            at += 4 + next;
        }
    }
}
