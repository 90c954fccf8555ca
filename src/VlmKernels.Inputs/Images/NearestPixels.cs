namespace VlmKernels.Inputs;

/// <summary>Pillow's nearest-neighbour resize.</summary>
internal static class NearestPixels
{
    public static void Resize(
        ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, int channels, Span<byte> target, int width, int height, ResizeWindow window)
    {
        int[] columns = Sources(sourceWidth, width, window.Left, window.Width), rows = Sources(sourceHeight, height, window.Top, window.Height);
        int o = 0;
        for (int y = 0; y < window.Height; y++)
        {
            int row = rows[y] * sourceWidth;
            for (int x = 0; x < window.Width; x++, o += channels)
            {
                source.Slice((row + columns[x]) * channels, channels).CopyTo(target[o..]);
            }
        }
    }

    // The position is accumulated, not multiplied: the rounding errors of the sum choose other pixels now and then.
    internal static int[] Sources(int input, int output, int offset, int count)
    {
        double step = (double)input / output, position = step * 0.5;
        var sources = new int[count];
        for (int i = 0; i < offset; i++) position += step;
        for (int i = 0; i < count; i++, position += step) sources[i] = Math.Min((int)position, input - 1);
        return sources;
    }
}
