using System.Buffers;

namespace VlmKernels.Inputs;

/// <summary>
/// Pillow's <c>Image.resize</c> on 8 bit pixels, bit for bit: shrinking is antialiased, each pass rounds to 8 bits, weights have 22 fraction bits
/// (Pillow's Resample.c; see the tables under tests/fixtures/inputs/resize).
/// </summary>
public static class PillowResize
{
    /// <summary>Resizes an RGB picture. A picture that has the size already is returned as it is.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A side below 1.</exception>
    public static RgbImage Resize(RgbImage image, int width, int height, ResizeFilter filter, ResizePassOrder order = ResizePassOrder.Pillow12)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.Width == width && image.Height == height) return image;
        var pixels = new byte[checked(width * height * 3)];
        Resize(image.Pixels, image.Width, image.Height, 3, pixels, width, height, filter, order);
        return new RgbImage(width, height, pixels);
    }

    /// <summary>Resizes interleaved channels that do not depend on one another (L, RGB, CMYK; palette indices with <see cref="ResizeFilter.Nearest"/>).</summary>
    /// <param name="source">[sourceHeight, sourceWidth, channels].</param>
    /// <param name="sourceWidth">Source columns.</param>
    /// <param name="sourceHeight">Source rows.</param>
    /// <param name="channels">Channels of a pixel, 1 to 4.</param>
    /// <param name="target">[height, width, channels], written.</param>
    /// <param name="width">Target columns.</param>
    /// <param name="height">Target rows.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="order">The order of the passes.</param>
    /// <exception cref="ArgumentException">A span whose length is not height * width * channels.</exception>
    public static void Resize(
        ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, int channels,
        Span<byte> target, int width, int height, ResizeFilter filter, ResizePassOrder order = ResizePassOrder.Pillow12) =>
        ResizeWindow(source, sourceWidth, sourceHeight, channels, target, width, height, new ResizeWindow(0, 0, width, height), filter, order);

    /// <summary>Resizes to width x height, but computes only a window of the result: a resize followed by a crop, without the wasted pixels.</summary>
    /// <param name="source">[sourceHeight, sourceWidth, channels].</param>
    /// <param name="sourceWidth">Source columns.</param>
    /// <param name="sourceHeight">Source rows.</param>
    /// <param name="channels">Channels of a pixel, 1 to 4.</param>
    /// <param name="target">[window.Height, window.Width, channels], written.</param>
    /// <param name="width">Columns of the whole result.</param>
    /// <param name="height">Rows of the whole result.</param>
    /// <param name="window">The part to compute; it lies inside the whole result.</param>
    /// <param name="filter">The filter.</param>
    /// <param name="order">The order of the passes.</param>
    /// <exception cref="ArgumentException">A span of another length, or a window outside the result.</exception>
    public static void ResizeWindow(
        ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, int channels,
        Span<byte> target, int width, int height, ResizeWindow window, ResizeFilter filter, ResizePassOrder order = ResizePassOrder.Pillow12)
    {
        Check(source.Length, sourceWidth, sourceHeight, channels);
        Check(target.Length, window.Width, window.Height, channels);
        if (window.Left < 0 || window.Top < 0 || window.Left > width - window.Width || window.Top > height - window.Height)
        {
            throw new ArgumentException($"{window} does not lie in a picture of {width}x{height}", nameof(window));
        }
        bool changesWidth = width != sourceWidth, changesHeight = height != sourceHeight;
        if (!changesWidth && !changesHeight) Copy(source, sourceWidth, channels, window, target);
        else if (filter == ResizeFilter.Nearest) NearestPixels.Resize(source, sourceWidth, sourceHeight, channels, target, width, height, window);
        else if (!changesHeight) Horizontal(source, sourceWidth, channels, window.Top, window.Height, Columns(), target);
        else if (!changesWidth && window.Width == width) ResizePasses.Vertical(source, sourceWidth * channels, 0, Rows(), target);
        else if (VerticalFirst(sourceWidth, sourceHeight, width, height, order)) VerticalThenHorizontal(source, sourceWidth, channels, Rows(), Columns(), target);
        else HorizontalThenVertical(source, sourceWidth, channels, changesWidth ? Columns() : null, window, Rows(), target);

        ResizeWeights Columns() => new(sourceWidth, width, filter, window.Left, window.Width);
        ResizeWeights Rows() => new(sourceHeight, height, filter, window.Top, window.Height);
    }

    /// <summary>Resizes pixels whose last channel is alpha (LA or RGBA) as Pillow does: premultiplied, resized, divided again.</summary>
    /// <inheritdoc cref="Resize(ReadOnlySpan{byte}, int, int, int, Span{byte}, int, int, ResizeFilter, ResizePassOrder)"/>
    public static void ResizeWithAlpha(
        ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, int channels,
        Span<byte> target, int width, int height, ResizeFilter filter, ResizePassOrder order = ResizePassOrder.Pillow12) =>
        ResizeWindowWithAlpha(source, sourceWidth, sourceHeight, channels, target, width, height, new ResizeWindow(0, 0, width, height), filter, order);

    internal static void ResizeWindowWithAlpha(
        ReadOnlySpan<byte> source, int sourceWidth, int sourceHeight, int channels,
        Span<byte> target, int width, int height, ResizeWindow window, ResizeFilter filter, ResizePassOrder order)
    {
        bool plain = filter == ResizeFilter.Nearest || (width == sourceWidth && height == sourceHeight);
        byte[] premultiplied = plain ? [] : source.ToArray();
        Premultiplied.Multiply(premultiplied, channels);
        ResizeWindow(plain ? source : premultiplied, sourceWidth, sourceHeight, channels, target, width, height, window, filter, order);
        if (!plain) Premultiplied.Divide(target, channels);
    }

    internal static bool VerticalFirst(int sourceWidth, int sourceHeight, int width, int height, ResizePassOrder order) =>
        order == ResizePassOrder.Pillow13 && width != sourceWidth && height < sourceHeight && sourceHeight - height > 2L * (sourceWidth - width);

    private static void Horizontal(ReadOnlySpan<byte> source, int sourceWidth, int channels, int top, int rows, ResizeWeights weights, Span<byte> target) =>
        ResizePasses.Horizontal(source.Slice(top * sourceWidth * channels, rows * sourceWidth * channels), sourceWidth, channels, rows, weights, target);

    // Only the source rows that the vertical pass reads go through the horizontal one; without column weights it is a plain cut.
    private static void HorizontalThenVertical(
        ReadOnlySpan<byte> source, int sourceWidth, int channels, ResizeWeights? columns, ResizeWindow window, ResizeWeights rows, Span<byte> target)
    {
        int first = rows.Starts[0], count = rows.Starts[^1] + rows.Counts[^1] - first, rowBytes = window.Width * channels;
        byte[] between = ArrayPool<byte>.Shared.Rent(count * rowBytes);
        Span<byte> middle = between.AsSpan(0, count * rowBytes);
        if (columns is null) Copy(source, sourceWidth, channels, window with { Top = first, Height = count }, middle);
        else Horizontal(source, sourceWidth, channels, first, count, columns, middle);
        ResizePasses.Vertical(middle, rowBytes, first, rows, target);
        ArrayPool<byte>.Shared.Return(between);
    }

    private static void VerticalThenHorizontal(ReadOnlySpan<byte> source, int sourceWidth, int channels, ResizeWeights rows, ResizeWeights columns, Span<byte> target)
    {
        int count = rows.Starts.Length, rowBytes = sourceWidth * channels;
        byte[] between = ArrayPool<byte>.Shared.Rent(count * rowBytes);
        ResizePasses.Vertical(source, rowBytes, 0, rows, between.AsSpan(0, count * rowBytes));
        ResizePasses.Horizontal(between.AsSpan(0, count * rowBytes), sourceWidth, channels, count, columns, target);
        ArrayPool<byte>.Shared.Return(between);
    }

    private static void Copy(ReadOnlySpan<byte> source, int sourceWidth, int channels, ResizeWindow window, Span<byte> target)
    {
        int rowBytes = window.Width * channels;
        for (int y = 0; y < window.Height; y++)
        {
            source.Slice(((y + window.Top) * sourceWidth + window.Left) * channels, rowBytes).CopyTo(target[(y * rowBytes)..]);
        }
    }

    private static void Check(int length, int width, int height, int channels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (channels is < 1 or > 4) throw new ArgumentOutOfRangeException(nameof(channels), channels, "1 to 4 channels");
        long expected = (long)width * height * channels;
        if (length != expected) throw new ArgumentException($"{width}x{height} pixels of {channels} channels take {expected} bytes, not {length}");
    }
}

/// <summary>A part of a picture, in pixels from its upper left corner.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Width">Columns.</param>
/// <param name="Height">Rows.</param>
public readonly record struct ResizeWindow(int Left, int Top, int Width, int Height);
