using System.Buffers.Binary;
using System.Globalization;

namespace VlmKernels.Inputs;

/// <summary>The chunks of a PNG file that decide how it is decoded: header, orientation, position of the pixel data.</summary>
internal sealed class PngChunks
{
    private PngChunks() { }

    public int Width { get; private set; }

    public int Height { get; private set; }

    public bool IsGrey16 { get; private set; }

    public bool IsInterlaced { get; private set; }

    /// <summary>The grey value that tRNS makes transparent in a 16 bit grey picture, or null.</summary>
    public int? TransparentGrey { get; private set; }

    /// <summary>EXIF orientation from eXIf or ImageMagick's text chunk; 0 when absent.</summary>
    public int Orientation { get; private set; }

    /// <summary>Where the IDAT chunks' contents lie in the file.</summary>
    public List<Range> Data { get; } = [];

    public static PngChunks Read(ReadOnlySpan<byte> file, string name, long maxPixels)
    {
        var chunks = new PngChunks();
        int position = 8;
        bool first = true;
        while (position + 12 <= file.Length)
        {
            uint length = BinaryPrimitives.ReadUInt32BigEndian(file[position..]);
            ReadOnlySpan<byte> type = file.Slice(position + 4, 4);
            if (length > file.Length - position - 12) break; // cut short: the pixel decoder decides whether pixels are missing
            ReadOnlySpan<byte> content = file.Slice(position + 8, (int)length);
            if (first && !type.SequenceEqual("IHDR"u8)) throw new ImageFormatException(name, "expected the PNG chunk IHDR first");
            if (first) chunks.ReadHeader(content, name, maxPixels);
            else chunks.ReadChunk(type, content, position + 8, name);
            first = false;
            position += 12 + (int)length;
            if (type.SequenceEqual("IEND"u8)) break;
        }
        if (first) throw new ImageFormatException(name, "truncated PNG: no header chunk");
        return chunks;
    }

    private void ReadHeader(ReadOnlySpan<byte> content, string name, long maxPixels)
    {
        if (content.Length != 13) throw new ImageFormatException(name, $"PNG header of {content.Length} bytes, expected 13");
        uint width = BinaryPrimitives.ReadUInt32BigEndian(content), height = BinaryPrimitives.ReadUInt32BigEndian(content[4..]);
        if (width is 0 or > int.MaxValue || height is 0 or > int.MaxValue) throw new ImageFormatException(name, $"a PNG of {width}x{height} pixels");
        if ((long)width * height > maxPixels) throw new ImageFormatException(name, $"{width}x{height} pixels announced, at most {maxPixels} allowed");
        if (content[10] != 0) throw new ImageFormatException(name, $"unknown PNG compression method {content[10]}");
        (Width, Height, IsGrey16, IsInterlaced) = ((int)width, (int)height, content[8] == 16 && content[9] == 0, content[12] == 1);
    }

    private void ReadChunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> content, int start, string name)
    {
        if (type.SequenceEqual("IDAT"u8)) Data.Add(start..(start + content.Length));
        else if (type.SequenceEqual("tRNS"u8) && IsGrey16 && content.Length >= 2) TransparentGrey = BinaryPrimitives.ReadUInt16BigEndian(content);
        else if (type.SequenceEqual("eXIf"u8)) Orientation = ExifOrientation.Parse(content);
        else if (type.SequenceEqual("tEXt"u8) && Orientation == 0) Orientation = FromRawProfile(content);
        else if (type.SequenceEqual("iCCP"u8)) CheckProfile(content, name);
    }

    // Pillow refuses the whole file here, and a profile packed by an unknown method is a damaged file.
    private static void CheckProfile(ReadOnlySpan<byte> content, string name)
    {
        int end = content.IndexOf((byte)0);
        if (end >= 0 && end + 1 < content.Length && content[end + 1] != 0)
        {
            throw new ImageFormatException(name, $"unknown compression method {content[end + 1]} in the PNG chunk iCCP");
        }
    }

    // ImageMagick writes EXIF as hexadecimal text: keyword NUL newline "exif" newline length newline digits.
    private static int FromRawProfile(ReadOnlySpan<byte> content)
    {
        ReadOnlySpan<byte> keyword = "Raw profile type exif\0"u8;
        if (!content.StartsWith(keyword)) return 0;
        content = content[keyword.Length..];
        for (int line = 0; line < 3; line++)
        {
            int end = content.IndexOf((byte)'\n');
            if (end < 0) return 0;
            content = content[(end + 1)..];
        }
        var bytes = new List<byte>();
        int high = -1;
        foreach (byte c in content)
        {
            if (!int.TryParse([(char)c], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int digit)) continue;
            if (high >= 0) bytes.Add((byte)(high << 4 | digit));
            high = high >= 0 ? -1 : digit;
        }
        return ExifOrientation.Parse(bytes.ToArray());
    }
}
