namespace VlmKernels.Inputs;

/// <summary>A picture as [height, width, 3] bytes in red, green, blue order. It never changes once made.</summary>
public sealed class RgbImage
{
    private readonly byte[] pixels;

    /// <summary>Wraps pixels without copying; the caller hands the array over.</summary>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">Exactly height * width * 3 bytes.</param>
    /// <exception cref="ArgumentException">A side below 1, or another number of bytes.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        if (pixels.LongLength != (long)width * height * 3)
        {
            throw new ArgumentException($"a {width}x{height} RGB picture has {(long)width * height * 3} bytes, not {pixels.LongLength}", nameof(pixels));
        }
        Width = width;
        Height = height;
        this.pixels = pixels;
    }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>[height, width, 3], rows from the top.</summary>
    public ReadOnlySpan<byte> Pixels => pixels;

    /// <summary>The same bytes as <see cref="Pixels"/>, for code that needs memory rather than a span.</summary>
    public ReadOnlyMemory<byte> Memory => pixels;
}
