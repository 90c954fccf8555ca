using System.Buffers.Binary;

namespace VlmKernels.Inputs;

/// <summary>The first frame of a GIF file as palette indices, as Pillow shows it.</summary>
internal static class GifReader
{
    private const int Extension = 0x21, ImageDescriptor = 0x2C, Trailer = 0x3B, GraphicControl = 0xF9;

    /// <summary>A frame's place, what its descriptor says, and where its data lie.</summary>
    private readonly record struct Frame(int Left, int Top, int Width, int Height, bool Interlaced, Range? Colours, int Data, int? Transparent);

    public static NativeImage Decode(ReadOnlySpan<byte> file, string name, long maxPixels)
    {
        if (file.Length < 13) throw Truncated(name);
        int position = 13;
        Range? shared = TakeColours(file, file[10], ref position, name);
        Frame frame = FindFrame(file, position, name);
        // A frame that does not fit makes the picture larger.
        int width = Math.Max(Word(file, 6), frame.Left + frame.Width), height = Math.Max(Word(file, 8), frame.Top + frame.Height);
        if (width == 0 || height == 0 || frame.Width == 0 || frame.Height == 0) throw new ImageFormatException(name, $"a GIF of {width}x{height} pixels with a frame of {frame.Width}x{frame.Height}");
        if ((long)width * height > maxPixels) throw new ImageFormatException(name, $"{width}x{height} pixels announced, at most {maxPixels} allowed");
        byte[] indices = GifLzw.Decode(file[frame.Data..], frame.Width * frame.Height, name);
        byte[] pixels = Place(indices, frame, width, height);
        return Picture(pixels, width, height, (frame.Colours ?? shared) is { } colours ? file[colours] : [], frame.Transparent);
    }

    private static NativeImage Picture(byte[] pixels, int width, int height, ReadOnlySpan<byte> colours, int? transparent)
    {
        if (ColourTable.IsGreyRamp(colours, 3))
        {
            return new NativeImage(PixelMode.Grey, width, height, pixels) { TransparentColour = transparent is { } grey ? ((byte)grey, (byte)grey, (byte)grey) : null };
        }
        byte[] palette = ColourTable.Make(colours, 3, []);
        if (transparent is { } index) palette[index * 4 + 3] = 0;
        return new NativeImage(PixelMode.Indexed, width, height, pixels, palette);
    }

    private static Frame FindFrame(ReadOnlySpan<byte> file, int position, string name)
    {
        int? transparent = null;
        while (position < file.Length && file[position] != Trailer)
        {
            int block = file[position++];
            if (block == ImageDescriptor) return ReadFrame(file, position, transparent, name);
            if (block != Extension) continue;
            if (position + 1 >= file.Length) throw Truncated(name);
            bool control = file[position] == GraphicControl && position + 5 < file.Length && file[position + 1] >= 4;
            if (control && (file[position + 2] & 1) != 0) transparent = file[position + 5];
            position++;
            while (position < file.Length && file[position] != 0) position += file[position] + 1;
            position++;
        }
        throw new ImageFormatException(name, "a GIF without a picture");
    }

    private static Frame ReadFrame(ReadOnlySpan<byte> file, int position, int? transparent, string name)
    {
        if (position + 9 > file.Length) throw Truncated(name);
        int flags = file[position + 8], data = position + 9;
        Range? colours = TakeColours(file, flags, ref data, name);
        return new Frame(Word(file, position), Word(file, position + 2), Word(file, position + 4), Word(file, position + 6), (flags & 0x40) != 0, colours, data, transparent);
    }

    private static Range? TakeColours(ReadOnlySpan<byte> file, int flags, ref int position, string name)
    {
        if ((flags & 0x80) == 0) return null;
        int start = position;
        position += 3 << ((flags & 7) + 1);
        return position <= file.Length ? start..position : throw Truncated(name);
    }

    // What the frame leaves free shows the transparent index, or else index 0.
    private static byte[] Place(byte[] indices, Frame frame, int width, int height)
    {
        bool covers = frame.Width == width && frame.Height == height;
        if (covers && !frame.Interlaced) return indices;
        var pixels = new byte[width * height];
        if (!covers) pixels.AsSpan().Fill((byte)(frame.Transparent ?? 0));
        int from = 0;
        foreach ((int first, int step) in frame.Interlaced ? [(0, 8), (4, 8), (2, 4), (1, 2)] : (ReadOnlySpan<(int, int)>)[(0, 1)])
        {
            for (int y = first; y < frame.Height; y += step, from += frame.Width)
            {
                indices.AsSpan(from, frame.Width).CopyTo(pixels.AsSpan((frame.Top + y) * width + frame.Left));
            }
        }
        return pixels;
    }

    private static int Word(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file[at..]);

    private static ImageFormatException Truncated(string name) => new(name, "truncated GIF");
}
