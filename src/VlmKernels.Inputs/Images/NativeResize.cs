namespace VlmKernels.Inputs;

/// <summary>Pillow's <c>Image.resize</c> by pixel mode: what may be averaged, and how.</summary>
internal static class NativeResize
{
    /// <summary>Computes a window of a resize, in the picture's own mode.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="target">[window.Height, window.Width, bytes of a pixel], written.</param>
    /// <param name="width">Columns of the whole result.</param>
    /// <param name="height">Rows of the whole result.</param>
    /// <param name="window">The part to compute.</param>
    /// <param name="filter">The filter; indices and black-or-white pixels cannot be averaged and take the nearest pixel whatever it is.</param>
    /// <param name="order">The order of the passes.</param>
    public static void Resize(NativeImage image, Span<byte> target, int width, int height, ResizeWindow window, ResizeFilter filter, ResizePassOrder order)
    {
        if (image.Mode is PixelMode.Indexed or PixelMode.Bilevel) filter = ResizeFilter.Nearest;
        if (image.Mode == PixelMode.Grey16 && filter != ResizeFilter.Nearest) Grey16Resize.Resize(image, target, width, height, window, filter, order);
        else if (image.Mode is PixelMode.Rgba or PixelMode.GreyAlpha) PillowResize.ResizeWindowWithAlpha(image.Pixels, image.Width, image.Height, image.PixelSize, target, width, height, window, filter, order);
        else PillowResize.ResizeWindow(image.Pixels, image.Width, image.Height, image.PixelSize, target, width, height, window, filter, order);
    }
}
