namespace VlmKernels.Inputs;

/// <summary>Palettes as Pillow keeps them: always 256 colours, those that the file lacks being the grey of their index.</summary>
internal static class ColourTable
{
    /// <summary>Makes [256, 4] red, green, blue, alpha.</summary>
    /// <param name="colours">Red, green, blue of as many indices as there are.</param>
    /// <param name="stride">Bytes from one colour to the next, at least 3.</param>
    /// <param name="alphas">Alpha of as many indices as there are; the others are opaque.</param>
    public static byte[] Make(ReadOnlySpan<byte> colours, int stride, ReadOnlySpan<byte> alphas)
    {
        var table = new byte[1024];
        for (int i = 0; i < 256; i++)
        {
            Span<byte> entry = table.AsSpan(i * 4, 4);
            entry.Fill((byte)i);
            if ((i + 1) * stride <= colours.Length) colours.Slice(i * stride, 3).CopyTo(entry);
            entry[3] = i < alphas.Length ? alphas[i] : (byte)255;
        }
        return table;
    }

    /// <summary>Whether every colour is the grey of its index, which Pillow reads as grey pixels.</summary>
    public static bool IsGreyRamp(ReadOnlySpan<byte> colours, int stride)
    {
        for (int i = 0; (i + 1) * stride <= colours.Length; i++)
        {
            ReadOnlySpan<byte> colour = colours.Slice(i * stride, 3);
            if (colour[0] != i || colour[1] != i || colour[2] != i) return false;
        }
        return true;
    }
}
