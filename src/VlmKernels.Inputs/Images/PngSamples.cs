namespace VlmKernels.Inputs;

/// <summary>From the samples of a PNG row to bytes in the picture's mode.</summary>
internal static class PngSamples
{
    public static void Unpack(ReadOnlySpan<byte> row, PngChunks chunks, Span<byte> target)
    {
        if (chunks.BitDepth < 8) UnpackBits(row, chunks, target);
        else if (chunks.BitDepth == 8) row.CopyTo(target);
        else if (chunks.Mode == PixelMode.Grey16) SwapBytes(row, target);
        else if (chunks.ColourType == PngChunks.GreyAlphaType) GreyAlpha16(row, target);
        else for (int i = 0; i < target.Length; i++) target[i] = row[i * 2];
    }

    // Indices stay as they are; grey is stretched to 0..255.
    private static void UnpackBits(ReadOnlySpan<byte> row, PngChunks chunks, Span<byte> target)
    {
        int depth = chunks.BitDepth, mask = (1 << depth) - 1, factor = chunks.Mode == PixelMode.Indexed ? 1 : 255 / mask;
        for (int x = 0; x < target.Length; x++)
        {
            int bit = x * depth;
            target[x] = (byte)((row[bit >> 3] >> (8 - depth - (bit & 7)) & mask) * factor);
        }
    }

    private static void SwapBytes(ReadOnlySpan<byte> row, Span<byte> target)
    {
        for (int i = 0; i < target.Length; i += 2) (target[i], target[i + 1]) = (row[i + 1], row[i]);
    }

    // Pillow has no mode of its own for it and makes it RGBA.
    private static void GreyAlpha16(ReadOnlySpan<byte> row, Span<byte> target)
    {
        for (int i = 0; i < target.Length; i += 4) (target[i], target[i + 1], target[i + 2], target[i + 3]) = (row[i], row[i], row[i], row[i + 2]);
    }
}
