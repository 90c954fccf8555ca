namespace VlmKernels.Inputs;

/// <summary>
/// Cuts a baseline JPEG of four equally large components into four grey ones. Blocks keep their bits: a code depends on earlier blocks of its own
/// component only, so nothing is decoded beyond the code lengths.
/// </summary>
internal static class JpegSplitter
{
    public static byte[][] Split(ReadOnlySpan<byte> file, JpegHeader header, string name)
    {
        var streams = new MemoryStream[4];
        var writers = new JpegBitWriter[4];
        for (int c = 0; c < 4; c++)
        {
            streams[c] = Begin(file, header, c);
            writers[c] = new JpegBitWriter(streams[c]);
        }
        var reader = new JpegBitReader(file, header.ScanStart);
        int blocks = (header.Width + 7) / 8 * ((header.Height + 7) / 8);
        for (int b = 0; b < blocks; b++)
        {
            if (b > 0 && header.RestartInterval > 0 && b % header.RestartInterval == 0) Restart(ref reader, writers, b / header.RestartInterval, name);
            for (int c = 0; c < 4; c++)
            {
                JpegHeader.Component component = header.Components[c];
                if (!CopyBlock(ref reader, writers[c], header.Codes[component.Dc]!, header.Codes[4 + component.Ac]!)) throw new ImageFormatException(name, $"damaged JPEG data in block {b} of {blocks}");
            }
        }
        foreach (JpegBitWriter writer in writers) writer.PutMarker(0xD9);
        return Array.ConvertAll(streams, s => s.ToArray());
    }

    private static MemoryStream Begin(ReadOnlySpan<byte> file, JpegHeader header, int c)
    {
        JpegHeader.Component component = header.Components[c];
        var stream = new MemoryStream();
        stream.Write([0xFF, 0xD8]);
        foreach (Range table in header.Tables) stream.Write(file[table]);
        stream.Write([0xFF, 0xDD, 0, 4, (byte)(header.RestartInterval >> 8), (byte)header.RestartInterval]);
        stream.Write([0xFF, 0xC1, 0, 11, 8, (byte)(header.Height >> 8), (byte)header.Height, (byte)(header.Width >> 8), (byte)header.Width, 1, 1, 0x11, component.Quantisation]);
        stream.Write([0xFF, 0xDA, 0, 8, 1, 1, (byte)(component.Dc << 4 | component.Ac), 0, 63, 0]);
        return stream;
    }

    private static void Restart(ref JpegBitReader reader, JpegBitWriter[] writers, int count, string name)
    {
        if (!reader.TakeRestart()) throw new ImageFormatException(name, "damaged JPEG data: a restart marker is missing");
        foreach (JpegBitWriter writer in writers) writer.PutMarker(0xD0 + ((count - 1) & 7));
    }

    private static bool CopyBlock(ref JpegBitReader reader, JpegBitWriter writer, JpegCodes dc, JpegCodes ac)
    {
        int symbol = dc.Copy(ref reader, writer);
        if (symbol is < 0 or > 15 || !CopyBits(ref reader, writer, symbol)) return false;
        for (int k = 1; k < 64; k++)
        {
            symbol = ac.Copy(ref reader, writer);
            if (symbol < 0 || !CopyBits(ref reader, writer, symbol & 15)) return false;
            if (symbol == 0) return true; // end of block
            k += symbol >> 4; // zeros before the coefficient
        }
        return true;
    }

    private static bool CopyBits(ref JpegBitReader reader, JpegBitWriter writer, int count)
    {
        for (; count > 0; count--)
        {
            int bit = reader.Take();
            if (bit < 0) return false;
            writer.Put(bit, 1);
        }
        return true;
    }
}
