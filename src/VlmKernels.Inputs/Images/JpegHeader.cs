using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>What lies before the first scan of a JPEG file, as far as cutting it into components needs it.</summary>
internal sealed class JpegHeader
{
    /// <summary>A component: its quantisation table and the Huffman tables of its scan.</summary>
    public readonly record struct Component(byte Quantisation, byte Dc, byte Ac);

    public int Width { get; private set; }

    public int Height { get; private set; }

    /// <summary>Whether the Adobe marker says that the first three components are luma and chroma.</summary>
    public bool IsYcck { get; private set; }

    /// <summary>Blocks of each component between restart markers; 0 for none.</summary>
    public int RestartInterval { get; private set; }

    /// <summary>Whether there are four components of the same size, coded in one baseline scan.</summary>
    public bool CanSplit { get; private set; }

    public Component[] Components { get; } = new Component[4];

    /// <summary>The tables' segments, whole.</summary>
    public List<Range> Tables { get; } = [];

    /// <summary>Huffman codes: class * 4 + table.</summary>
    public JpegCodes?[] Codes { get; } = new JpegCodes?[8];

    /// <summary>Where the coded blocks start.</summary>
    public int ScanStart { get; private set; }

    /// <summary>Reads up to the first scan; null when the picture is not one of four components.</summary>
    public static JpegHeader? Read(ReadOnlySpan<byte> file, string name)
    {
        var header = new JpegHeader();
        Span<byte> ids = stackalloc byte[4];
        bool frame = false, even = false;
        int position = 2;
        while (JpegStructure.NextSegment(file, ref position) is { } segment)
        {
            ReadOnlySpan<byte> content = file[segment.Content];
            if (segment.Marker is 0xDB or 0xC4) header.Tables.Add((segment.Content.Start.Value - 4)..segment.Content.End);
            if (segment.Marker == 0xC4) header.ReadCodes(content, name);
            else if (segment.Marker == 0xDD && content.Length >= 2) header.RestartInterval = BinaryPrimitives.ReadUInt16BigEndian(content);
            else if (segment.Marker == 0xEE && content.Length >= 12 && content.StartsWith("Adobe"u8)) header.IsYcck = content[11] != 0;
            else if (segment.Marker is >= 0xC0 and <= 0xCF and not (0xC8 or 0xCC))
            {
                if (content.Length < 18 || content[5] != 4) return null;
                even = segment.Marker is 0xC0 or 0xC1 && content[0] == 8;
                frame = true;
                header.ReadFrame(content, ids, ref even);
            }
            else if (segment.Marker == 0xDA)
            {
                header.CanSplit = frame && even && header.ReadScan(content, ids);
                header.ScanStart = segment.Content.End.Value;
                return frame ? header : null;
            }
        }
        return null;
    }

    private void ReadFrame(ReadOnlySpan<byte> content, Span<byte> ids, ref bool even)
    {
        (Height, Width) = (BinaryPrimitives.ReadUInt16BigEndian(content[1..]), BinaryPrimitives.ReadUInt16BigEndian(content[3..]));
        for (int c = 0; c < 4; c++)
        {
            ReadOnlySpan<byte> component = content.Slice(6 + c * 3, 3);
            (ids[c], Components[c]) = (component[0], new Component(component[2], 0, 0));
            even &= component[1] == 0x11;
        }
        even &= Width > 0 && Height > 0;
    }

    private bool ReadScan(ReadOnlySpan<byte> content, ReadOnlySpan<byte> ids)
    {
        if (content.Length < 9 || content[0] != 4) return false;
        for (int c = 0; c < 4; c++)
        {
            byte tables = content[2 + c * 2];
            if (content[1 + c * 2] != ids[c] || (tables & 0xCC) != 0) return false;
            Components[c] = Components[c] with { Dc = (byte)(tables >> 4), Ac = (byte)(tables & 15) };
            if (Codes[tables >> 4] is null || Codes[4 + (tables & 15)] is null) return false;
        }
        return true;
    }

    private void ReadCodes(ReadOnlySpan<byte> content, string name)
    {
        while (content.Length >= 17)
        {
            ReadOnlySpan<byte> counts = content.Slice(1, 16);
            int total = 0, table = content[0];
            foreach (byte count in counts) total += count;
            if (table > 0x13 || (table & 15) > 3 || total > 256 || content.Length < 17 + total) throw new ImageFormatException(name, "damaged JPEG Huffman table");
            Codes[(table >> 4) * 4 + (table & 15)] = new JpegCodes(counts, content.Slice(17, total));
            content = content[(17 + total)..];
        }
    }
}
