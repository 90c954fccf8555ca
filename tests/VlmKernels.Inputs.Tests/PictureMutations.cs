using System.Buffers.Binary;
using VlmKernels.Testing;

namespace VlmKernels.Inputs.Tests;

/// <summary>Damages picture files; the same seed gives the same file.</summary>
public sealed class PictureMutations(IReadOnlyList<(string Name, byte[] Bytes)> files)
{
    private readonly byte[][] _all = [.. files.Select(f => f.Bytes)];

    /// <summary>A damaged copy of one of the files.</summary>
    public (string Name, byte[] Bytes) Make(int seed)
    {
        var random = new Random(seed);
        (string name, byte[] original) = files[random.Next(files.Count)];
        byte[] bytes = [.. original];
        for (int count = random.Next(1, 5); count > 0 && bytes.Length > 0; count--) bytes = ByteDamage.Apply(bytes, _all, random);
        // Half of the damaged PNG files get right checksums again, or hardly anything would pass the header.
        if (random.Next(2) == 0) RepairChecksums(bytes);
        return (name, bytes);
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
