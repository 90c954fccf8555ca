namespace VlmKernels.Inputs;

/// <summary>Pillow's resize of 16 bit grey (mode I;16): exact weights, sums in double, each pass rounds to 16 bits.</summary>
internal static class Grey16Resize
{
    /// <summary>Computes a window of a resize to width x height; both pictures are pairs of bytes, the low one first.</summary>
    public static void Resize(NativeImage image, Span<byte> target, int width, int height, ResizeWindow window, ResizeFilter filter, ResizePassOrder order)
    {
        bool changesWidth = width != image.Width, changesHeight = height != image.Height;
        ResizeWeights? rows = changesHeight ? new ResizeWeights(image.Height, height, filter, window.Top, window.Height) : null;
        ResizeWeights? columns = changesWidth ? new ResizeWeights(image.Width, width, filter, window.Left, window.Width) : null;
        // The part of the picture that the window depends on.
        int left = columns?.Starts[0] ?? window.Left, right = columns is null ? window.Left + window.Width : columns.Starts[^1] + columns.Counts[^1];
        int top = rows?.Starts[0] ?? window.Top, bottom = rows is null ? window.Top + window.Height : rows.Starts[^1] + rows.Counts[^1];
        ushort[] values = Cut(image, left, top, right - left, bottom - top);
        if (rows is not null && PillowResize.VerticalFirst(image.Width, image.Height, width, height, order))
        {
            values = Vertical(values, right - left, top, rows);
            rows = null;
        }
        if (columns is not null) values = Horizontal(values, right - left, left, columns);
        if (rows is not null) values = Vertical(values, window.Width, top, rows);
        for (int i = 0; i < values.Length; i++) (target[i * 2], target[i * 2 + 1]) = ((byte)values[i], (byte)(values[i] >> 8));
    }

    private static ushort[] Cut(NativeImage image, int left, int top, int width, int height)
    {
        var values = new ushort[width * height];
        for (int i = 0; i < values.Length; i++)
        {
            int at = ((top + i / width) * image.Width + left + i % width) * 2;
            values[i] = (ushort)(image.Pixels[at] | image.Pixels[at + 1] << 8);
        }
        return values;
    }

    private static ushort[] Horizontal(ushort[] source, int width, int left, ResizeWeights weights)
    {
        int outputs = weights.Starts.Length;
        var target = new ushort[source.Length / width * outputs];
        for (int i = 0; i < target.Length; i++)
        {
            int x = i % outputs;
            target[i] = Sum(source, i / outputs * width + weights.Starts[x] - left, 1, weights, x);
        }
        return target;
    }

    private static ushort[] Vertical(ushort[] source, int width, int top, ResizeWeights weights)
    {
        var target = new ushort[weights.Starts.Length * width];
        for (int i = 0; i < target.Length; i++)
        {
            int y = i / width;
            target[i] = Sum(source, (weights.Starts[y] - top) * width + i % width, width, weights, y);
        }
        return target;
    }

    private static ushort Sum(ushort[] source, int at, int step, ResizeWeights weights, int output)
    {
        double sum = 0;
        for (int t = 0; t < weights.Counts[output]; t++, at += step) sum += source[at] * weights.Exact[output * weights.Taps + t];
        int value = (int)(sum >= 0 ? sum + 0.5 : sum - 0.5);
        // Pillow clamps the two bytes one by one: a sum above 65535 gets a full high byte and whatever the low one is.
        return (ushort)(Math.Max(value % 256, 0) | Math.Clamp(value >> 8, 0, 255) << 8);
    }
}
