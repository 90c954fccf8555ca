using System.IO.Compression;

namespace VlmKernels.Inputs;

/// <summary>
/// PNG pictures of one 16 bit grey channel. Pillow holds them as mode "I;16" and saturates at 255 on the way to RGB,
/// which cannot be had from a decoder that hands out the upper 8 bits.
/// </summary>
internal static class PngGrey16
{
    // Adam7: first column, first row, column step, row step of the seven passes.
    private static readonly (int X, int Y, int Dx, int Dy)[] Adam7 =
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public static RgbImage Decode(ReadOnlySpan<byte> file, PngChunks chunks, string name, AlphaRule alpha)
    {
        var rgb = new byte[(long)chunks.Width * chunks.Height * 3];
        using ZLibStream stream = Open(file, chunks);
        try
        {
            foreach ((int x, int y, int dx, int dy) in chunks.IsInterlaced ? Adam7 : [(0, 0, 1, 1)]) ReadPass(stream, chunks, rgb, (x, y, dx, dy), alpha, name);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new ImageFormatException($"{name}: damaged or truncated PNG data ({e.Message})", e);
        }
        return new RgbImage(chunks.Width, chunks.Height, rgb);
    }

    private static ZLibStream Open(ReadOnlySpan<byte> file, PngChunks chunks)
    {
        var packed = new MemoryStream();
        foreach (Range range in chunks.Data) packed.Write(file[range]);
        packed.Position = 0;
        return new ZLibStream(packed, CompressionMode.Decompress);
    }

    private static void ReadPass(ZLibStream stream, PngChunks chunks, byte[] rgb, (int X, int Y, int Dx, int Dy) pass, AlphaRule alpha, string name)
    {
        int width = (chunks.Width - pass.X + pass.Dx - 1) / pass.Dx, height = (chunks.Height - pass.Y + pass.Dy - 1) / pass.Dy;
        if (width <= 0 || height <= 0) return;
        byte[] row = new byte[width * 2], above = new byte[width * 2];
        for (int y = 0; y < height; y++)
        {
            int filter = stream.ReadByte();
            stream.ReadExactly(row);
            Unfilter(filter, row, above, name);
            WriteRow(row, chunks, rgb, pass, pass.Y + y * pass.Dy, alpha);
            (row, above) = (above, row);
        }
    }

    private static void WriteRow(byte[] row, PngChunks chunks, byte[] rgb, (int X, int Y, int Dx, int Dy) pass, int y, AlphaRule alpha)
    {
        for (int i = 0; i < row.Length; i += 2)
        {
            int value = row[i] << 8 | row[i + 1];
            byte grey = (byte)Math.Min(value, 255);
            if (alpha == AlphaRule.OnWhite && value == chunks.TransparentGrey) grey = 255;
            int o = (y * chunks.Width + pass.X + i / 2 * pass.Dx) * 3;
            rgb[o] = rgb[o + 1] = rgb[o + 2] = grey;
        }
    }

    private static void Unfilter(int filter, byte[] row, byte[] above, string name)
    {
        const int Step = 2;
        for (int i = 0; i < row.Length; i++)
        {
            int left = i >= Step ? row[i - Step] : 0, corner = i >= Step ? above[i - Step] : 0;
            row[i] += filter switch
            {
                0 => 0,
                1 => (byte)left,
                2 => above[i],
                3 => (byte)((left + above[i]) / 2),
                4 => Paeth(left, above[i], corner),
                _ => throw new ImageFormatException(name, $"unknown PNG row filter {filter}"),
            };
        }
    }

    private static byte Paeth(int left, int above, int corner)
    {
        int guess = left + above - corner;
        int dl = Math.Abs(guess - left), da = Math.Abs(guess - above), dc = Math.Abs(guess - corner);
        return (byte)(dl <= da && dl <= dc ? left : da <= dc ? above : corner);
    }
}
