namespace VlmKernels.Inputs;

/// <summary>Pillow's <c>Image.resize</c> on single-channel float pictures (mode F): sums in double, single precision between the passes, no clamping.</summary>
public static class PillowFloatResize
{
    /// <summary>Resizes a float picture.</summary>
    /// <param name="source">[sourceHeight, sourceWidth].</param>
    /// <param name="sourceWidth">Source columns.</param>
    /// <param name="sourceHeight">Source rows.</param>
    /// <param name="width">Target columns.</param>
    /// <param name="height">Target rows.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="order">The order of the passes.</param>
    /// <returns>[height, width].</returns>
    /// <exception cref="ArgumentException">A span whose length is not height * width.</exception>
    public static float[] Resize(
        ReadOnlySpan<float> source, int sourceWidth, int sourceHeight, int width, int height, ResizeFilter filter, ResizePassOrder order = ResizePassOrder.Pillow12)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (source.Length != (long)sourceWidth * sourceHeight) throw new ArgumentException($"{sourceWidth}x{sourceHeight} pixels are not {source.Length} floats", nameof(source));
        if (filter == ResizeFilter.Nearest) return Nearest(source, sourceWidth, sourceHeight, width, height);
        float[] pixels = source.ToArray();
        if (PillowResize.VerticalFirst(sourceWidth, sourceHeight, width, height, order))
        {
            pixels = Vertical(pixels, sourceWidth, sourceHeight, height, filter);
            return Horizontal(pixels, sourceWidth, height, width, filter);
        }
        if (width != sourceWidth) pixels = Horizontal(pixels, sourceWidth, sourceHeight, width, filter);
        return height == sourceHeight ? pixels : Vertical(pixels, width, sourceHeight, height, filter);
    }

    private static float[] Nearest(ReadOnlySpan<float> source, int sourceWidth, int sourceHeight, int width, int height)
    {
        int[] columns = NearestPixels.Sources(sourceWidth, width, 0, width), rows = NearestPixels.Sources(sourceHeight, height, 0, height);
        var target = new float[width * height];
        for (int i = 0; i < target.Length; i++) target[i] = source[rows[i / width] * sourceWidth + columns[i % width]];
        return target;
    }

    private static float[] Horizontal(float[] source, int sourceWidth, int rows, int width, ResizeFilter filter)
    {
        var weights = new ResizeWeights(sourceWidth, width, filter, 0, width);
        var target = new float[rows * width];
        for (int i = 0; i < target.Length; i++)
        {
            int x = i % width, start = i / width * sourceWidth + weights.Starts[x];
            double sum = 0;
            for (int t = 0; t < weights.Counts[x]; t++) sum += source[start + t] * weights.Exact[x * weights.Taps + t];
            target[i] = (float)sum;
        }
        return target;
    }

    private static float[] Vertical(float[] source, int width, int sourceHeight, int height, ResizeFilter filter)
    {
        var weights = new ResizeWeights(sourceHeight, height, filter, 0, height);
        var target = new float[height * width];
        for (int i = 0; i < target.Length; i++)
        {
            int y = i / width, start = weights.Starts[y] * width + i % width;
            double sum = 0;
            for (int t = 0; t < weights.Counts[y]; t++) sum += source[start + t * width] * weights.Exact[y * weights.Taps + t];
            target[i] = (float)sum;
        }
        return target;
    }
}
