using System.Buffers.Binary;
using System.Globalization;

namespace VlmKernels.Inputs;

/// <summary>The chunks of a PNG file that decide how it is decoded: header, colours, orientation, position of the pixel data.</summary>
internal sealed class PngChunks
{
    /// <summary>The colour type of grey and alpha.</summary>
    public const int GreyAlphaType = 4;

    private byte[] colours = [];
    private byte[] alphas = [];

    private PngChunks() { }

    public int Width { get; private set; }

    public int Height { get; private set; }

    public int BitDepth { get; private set; }

    /// <summary>0 grey, 2 RGB, 3 indexed, 4 grey and alpha, 6 RGBA.</summary>
    public int ColourType { get; private set; }

    public int BitsPerPixel => BitDepth * ColourType switch { 2 => 3, GreyAlphaType => 2, 6 => 4, _ => 1 };

    public bool IsInterlaced { get; private set; }

    /// <summary>The mode that Pillow reads the picture in.</summary>
    public PixelMode Mode { get; private set; }

    /// <summary>The colour that tRNS makes transparent in a picture without palette, compared by its low bytes as Pillow does; or null.</summary>
    public (byte Red, byte Green, byte Blue)? TransparentColour { get; private set; }

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
            if (length > file.Length - position - 12)
            {
                // Cut short: the inflater decides whether pixels are missing.
                if (type.SequenceEqual("IDAT"u8)) chunks.Data.Add((position + 8)..file.Length);
                break;
            }
            ReadOnlySpan<byte> content = file.Slice(position + 8, (int)length);
            if (chunks.Data.Count == 0 && !type.SequenceEqual("IDAT"u8)) CheckSum(file.Slice(position + 4, (int)length + 8), name);
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
        (Width, Height, BitDepth, ColourType, IsInterlaced) = ((int)width, (int)height, content[8], content[9], content[12] == 1);
        Mode = (BitDepth, ColourType) switch
        {
            (1, 0) => PixelMode.Bilevel,
            (2 or 4 or 8, 0) => PixelMode.Grey,
            (16, 0) => PixelMode.Grey16,
            (8 or 16, 2) => PixelMode.Rgb,
            (1 or 2 or 4 or 8, 3) => PixelMode.Indexed,
            (8, GreyAlphaType) => PixelMode.GreyAlpha,
            (16, GreyAlphaType) or (8 or 16, 6) => PixelMode.Rgba,
            _ => throw new ImageFormatException(name, $"unknown PNG colour type {ColourType} with {BitDepth} bits"),
        };
    }

    /// <summary>[256, 4] red, green, blue, alpha; null for a picture without palette.</summary>
    public byte[]? Palette() => Mode == PixelMode.Indexed ? ColourTable.Make(colours, 3, alphas) : null;

    private void ReadChunk(ReadOnlySpan<byte> type, ReadOnlySpan<byte> content, int start, string name)
    {
        if (type.SequenceEqual("IDAT"u8)) Data.Add(start..(start + content.Length));
        else if (type.SequenceEqual("PLTE"u8)) colours = content.ToArray();
        else if (type.SequenceEqual("tRNS"u8)) ReadTransparency(content);
        else if (type.SequenceEqual("eXIf"u8)) Orientation = ExifOrientation.Parse(content);
        else if (type.SequenceEqual("tEXt"u8) && Orientation == 0) Orientation = FromRawProfile(content);
        else if (type.SequenceEqual("iCCP"u8)) CheckProfile(content, name);
    }

    private void ReadTransparency(ReadOnlySpan<byte> content)
    {
        if (Mode == PixelMode.Indexed) alphas = content.ToArray();
        else if (ColourType == 0 && content.Length >= 2) TransparentColour = (content[1], content[1], content[1]);
        else if (ColourType == 2 && content.Length >= 6) TransparentColour = (content[1], content[3], content[5]);
    }

    // Pillow checks the chunks before the pixels; damage in the pixels shows when they are inflated.
    private static void CheckSum(ReadOnlySpan<byte> chunk, string name)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in chunk[..^4])
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (0xEDB88320 & (0 - (crc & 1)));
        }
        if (~crc != BinaryPrimitives.ReadUInt32BigEndian(chunk[^4..])) throw new ImageFormatException(name, "a PNG chunk whose checksum is wrong");
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
