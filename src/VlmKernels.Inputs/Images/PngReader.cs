using System.IO.Compression;

namespace VlmKernels.Inputs;

/// <summary>
/// PNG pixels in the modes that Pillow gives them: palette indices stay indices and 16 bit grey stays 16 bits, which codecs that hand out colours cannot do.
/// Other 16 bit samples keep their upper byte.
/// </summary>
internal static class PngReader
{
    // Deflate packs at most 1032 bytes into one.
    private const long MaxRatio = 1032;

    // Adam7: first column, first row, column step, row step of the seven passes.
    private static readonly PngPass[] Adam7 =
        [new(0, 0, 8, 8), new(4, 0, 8, 8), new(0, 4, 4, 8), new(2, 0, 4, 4), new(0, 2, 2, 4), new(1, 0, 2, 2), new(0, 1, 1, 2)];

    private readonly record struct PngPass(int X, int Y, int Dx, int Dy);

    public static NativeImage Decode(ReadOnlySpan<byte> file, PngChunks chunks, string name)
    {
        long size = (long)chunks.Width * chunks.Height * NativeImage.SizeOf(chunks.Mode), packed = chunks.Data.Sum(r => (long)r.End.Value - r.Start.Value);
        if (size > Array.MaxLength) throw new ImageFormatException(name, $"{chunks.Width}x{chunks.Height} pixels do not fit one array");
        // Checked before the pixels get their memory, so that a small file cannot ask for much.
        if (((long)chunks.Width * chunks.BitsPerPixel + 7) / 8 * chunks.Height > (packed + 1) * MaxRatio) throw new ImageFormatException(name, $"truncated PNG: {packed} packed bytes for {chunks.Width}x{chunks.Height} pixels");
        var pixels = new byte[size];
        using ZLibStream stream = Open(file, chunks);
        try
        {
            foreach (PngPass pass in chunks.IsInterlaced ? Adam7 : [new(0, 0, 1, 1)]) ReadPass(stream, chunks, pixels, pass, name);
        }
        catch (Exception e) when (e is InvalidDataException or IOException) // the inflater's errors and the end of its data; no file is read here
        {
            throw new ImageFormatException($"{name}: damaged or truncated PNG data ({e.Message})", e);
        }
        bool rgb = chunks.Mode == PixelMode.Rgb && chunks.TransparentColour is null;
        return rgb ? new RgbImage(chunks.Width, chunks.Height, pixels)
            : new NativeImage(chunks.Mode, chunks.Width, chunks.Height, pixels, chunks.Palette()) { TransparentColour = chunks.TransparentColour };
    }

    private static ZLibStream Open(ReadOnlySpan<byte> file, PngChunks chunks)
    {
        var packed = new MemoryStream();
        foreach (Range range in chunks.Data) packed.Write(file[range]);
        packed.Position = 0;
        return new ZLibStream(packed, CompressionMode.Decompress);
    }

    private static void ReadPass(ZLibStream stream, PngChunks chunks, byte[] pixels, PngPass pass, string name)
    {
        int width = (chunks.Width - pass.X + pass.Dx - 1) / pass.Dx, height = (chunks.Height - pass.Y + pass.Dy - 1) / pass.Dy;
        if (width <= 0 || height <= 0) return;
        int bytes = (int)(((long)width * chunks.BitsPerPixel + 7) / 8), size = NativeImage.SizeOf(chunks.Mode), rowSize = width * size;
        // One byte more: the row's filter comes first.
        byte[] row = new byte[bytes + 1], above = new byte[bytes + 1], spread = pass.Dx == 1 ? [] : new byte[rowSize];
        for (int y = 0; y < height; y++)
        {
            stream.ReadExactly(row);
            PngFilters.Undo(row[0], row.AsSpan(1), above.AsSpan(1), Math.Max(1, chunks.BitsPerPixel / 8), name);
            int at = ((pass.Y + y * pass.Dy) * chunks.Width + pass.X) * size;
            Span<byte> target = pass.Dx == 1 ? pixels.AsSpan(at, rowSize) : spread;
            PngSamples.Unpack(row.AsSpan(1), chunks, target);
            for (int x = 0; x < spread.Length; x += size) spread.AsSpan(x, size).CopyTo(pixels.AsSpan(at + x * pass.Dx));
            (row, above) = (above, row);
        }
    }
}
