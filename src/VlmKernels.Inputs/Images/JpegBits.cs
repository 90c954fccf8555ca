namespace VlmKernels.Inputs;

/// <summary>Bits of a scan, highest first; a zero byte after FF is stuffing.</summary>
internal ref struct JpegBitReader(ReadOnlySpan<byte> file, int position)
{
    private readonly ReadOnlySpan<byte> file = file;
    private int position = position, current, left;

    /// <summary>The next bit, or -1 at a marker or the end.</summary>
    public int Take()
    {
        if (left == 0)
        {
            if (position >= file.Length || (file[position] == 0xFF && (position + 1 >= file.Length || file[position + 1] != 0))) return -1;
            current = file[position];
            position += current == 0xFF ? 2 : 1;
            left = 8;
        }
        return current >> --left & 1;
    }

    /// <summary>Drops the rest of a byte and steps over a restart marker; false when there is none.</summary>
    public bool TakeRestart()
    {
        left = 0;
        while (position + 1 < file.Length && file[position] == 0xFF && file[position + 1] == 0xFF) position++;
        if (position + 1 >= file.Length || file[position] != 0xFF || file[position + 1] is < 0xD0 or > 0xD7) return false;
        position += 2;
        return true;
    }
}

/// <summary>Writes the bits of a scan with stuffing.</summary>
internal sealed class JpegBitWriter(MemoryStream target)
{
    private int current, filled;

    public void Put(int bits, int count)
    {
        for (int i = count - 1; i >= 0; i--)
        {
            current = current << 1 | (bits >> i & 1);
            if (++filled < 8) continue;
            target.WriteByte((byte)current);
            if (current == 0xFF) target.WriteByte(0);
            (current, filled) = (0, 0);
        }
    }

    /// <summary>Fills the last byte with ones, as the standard asks, and writes a marker.</summary>
    public void PutMarker(int marker)
    {
        if (filled > 0) Put(0xFF, 8 - filled);
        target.WriteByte(0xFF);
        target.WriteByte((byte)marker);
    }
}
