using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>
/// The colour table of a BMP file. The codec turns indices into colours; with the table replaced by greys it hands out the indices themselves,
/// which <see cref="Picture"/> puts together with the true colours.
/// </summary>
internal sealed class BmpColours
{
    private readonly byte[] colours;
    private readonly int stride, bits;

    private BmpColours(byte[] colours, int stride, int bits, byte[] indexFile) => (this.colours, this.stride, this.bits, IndexFile) = (colours, stride, bits, indexFile);

    /// <summary>The file with each colour replaced by the grey of its index.</summary>
    public byte[] IndexFile { get; }

    /// <summary>Reads the table; null when the file has none or its header is one the codec must judge.</summary>
    public static BmpColours? Read(ReadOnlySpan<byte> file)
    {
        if (file.Length < 54) return null;
        uint header = BinaryPrimitives.ReadUInt32LittleEndian(file[14..]);
        bool old = header == 12;
        if (header is not (12 or 40 or 52 or 56 or 64 or 108 or 124)) return null;
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(file[(old ? 24 : 28)..]), stride = old ? 3 : 4, start = 14 + (int)header;
        if (bits is not (1 or 4 or 8)) return null;
        uint count = old ? 0 : BinaryPrimitives.ReadUInt32LittleEndian(file[46..]);
        if (count == 0) count = 1u << bits;
        if (count > 256 || start + count * stride > file.Length) return null;
        byte[] copy = file.ToArray();
        for (int i = 0; i < count; i++) copy.AsSpan(start + i * stride, 3).Fill((byte)i);
        return new BmpColours(file.Slice(start, (int)count * stride).ToArray(), stride, bits, copy);
    }

    /// <summary>A picture from its indices: grey, or black and white, where the colours say no more.</summary>
    public NativeImage Picture(int width, int height, byte[] indices)
    {
        if (bits == 8 && ColourTable.IsGreyRamp(colours, stride)) return new NativeImage(PixelMode.Grey, width, height, indices);
        if (bits == 1 && IsBlackAndWhite())
        {
            for (int i = 0; i < indices.Length; i++) indices[i] = (byte)(indices[i] * 255);
            return new NativeImage(PixelMode.Bilevel, width, height, indices);
        }
        byte[] palette = ColourTable.Make(colours, stride, []);
        // BMP stores blue first.
        for (int i = 0; i < colours.Length / stride; i++) (palette[i * 4], palette[i * 4 + 2]) = (palette[i * 4 + 2], palette[i * 4]);
        return new NativeImage(PixelMode.Indexed, width, height, indices, palette);
    }

    private bool IsBlackAndWhite() =>
        colours.Length == 2 * stride && !colours.AsSpan(0, 3).ContainsAnyExcept((byte)0) && !colours.AsSpan(stride, 3).ContainsAnyExcept((byte)255);
}
