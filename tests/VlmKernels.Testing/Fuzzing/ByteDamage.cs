using System.Buffers.Binary;

namespace VlmKernels.Testing;

/// <summary>Damages files in the ways that find bugs in readers; the same random numbers give the same damage.</summary>
public static class ByteDamage
{
    private const int Header = 64, LongestStretch = 2000;

    private static readonly uint[] Extremes = [0, 1, 2, 7, 8, 9, 255, 256, 4096, 32767, 32768, 65535, 65536, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF];

    /// <summary>Damages a file once; the array given may be changed.</summary>
    /// <param name="bytes">The file, not empty.</param>
    /// <param name="others">Files from which stretches may be taken, none empty.</param>
    /// <param name="random">Decides.</param>
    public static byte[] Apply(byte[] bytes, IReadOnlyList<byte[]> others, Random random)
    {
        int at = Position(bytes, random);
        switch (random.Next(6))
        {
            case 0: bytes[at] ^= (byte)(1 << random.Next(8)); return bytes;
            case 1: bytes[at] = (byte)random.Next(256); return bytes;
            case 2: return bytes[..random.Next(bytes.Length)];
            case 3: WriteExtreme(bytes.AsSpan(at), random); return bytes;
            case 4: return Splice(bytes, others[random.Next(others.Count)], random);
            default: return Splice(bytes, bytes, random);
        }
    }

    // Headers are where damage does most.
    private static int Position(byte[] bytes, Random random) => random.Next(2) == 0 ? random.Next(bytes.Length) : random.Next(Math.Min(bytes.Length, Header));

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
        int start = random.Next(from.Length), length = random.Next(1, Math.Min(from.Length - start, LongestStretch) + 1);
        int at = random.Next(into.Length), removed = random.Next(Math.Min(into.Length - at, LongestStretch) + 1);
        return [.. into[..at], .. from[start..(start + length)], .. into[(at + removed)..]];
    }
}
