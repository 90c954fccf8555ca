namespace VlmKernels.Inputs;

/// <summary>How a picture file stores its pixels; the names in brackets are Pillow's.</summary>
public enum PixelMode
{
    /// <summary>Black or white ("1"): one byte, 0 or 255.</summary>
    Bilevel,

    /// <summary>Grey ("L"): one byte.</summary>
    Grey,

    /// <summary>Grey with 16 bits ("I;16"): two bytes, the low one first.</summary>
    Grey16,

    /// <summary>Grey and alpha ("LA"), not premultiplied: two bytes.</summary>
    GreyAlpha,

    /// <summary>An index into <see cref="NativeImage.Palette"/> ("P"): one byte.</summary>
    Indexed,

    /// <summary>Red, green, blue ("RGB"): three bytes.</summary>
    Rgb,

    /// <summary>Red, green, blue, alpha ("RGBA"), not premultiplied: four bytes.</summary>
    Rgba,

    /// <summary>Cyan, magenta, yellow, black ("CMYK"), 0 being no ink: four bytes.</summary>
    Cmyk,
}

/// <summary>
/// A picture in the pixel mode of its file, [height, width, bytes of a pixel]. It never changes once made. Most code wants an <see cref="RgbImage"/>;
/// the mode matters where a reference resizes first and converts afterwards.
/// </summary>
public class NativeImage
{
    private readonly byte[] pixels;
    private readonly byte[] palette;

    /// <summary>Wraps pixels without copying; the caller hands the arrays over.</summary>
    /// <param name="mode">How the pixels are stored.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">Exactly height * width * bytes of a pixel.</param>
    /// <param name="palette">[256, 4] red, green, blue, alpha for <see cref="PixelMode.Indexed"/>; null otherwise.</param>
    /// <exception cref="ArgumentException">A side below 1, another number of bytes, or a palette that is missing, surplus or of another size.</exception>
    public NativeImage(PixelMode mode, int width, int height, byte[] pixels, byte[]? palette = null)
    {
        ArgumentNullException.ThrowIfNull(pixels);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        long bytes = (long)width * height * SizeOf(mode);
        if (pixels.LongLength != bytes) throw new ArgumentException($"a {width}x{height} {mode} picture has {bytes} bytes, not {pixels.LongLength}", nameof(pixels));
        if ((palette?.Length ?? 0) != (mode == PixelMode.Indexed ? 1024 : 0)) throw new ArgumentException($"a {mode} picture with a palette of {palette?.Length ?? 0} bytes", nameof(palette));
        (Mode, Width, Height, this.pixels, this.palette) = (mode, width, height, pixels, palette ?? []);
    }

    /// <summary>How the pixels are stored.</summary>
    public PixelMode Mode { get; }

    /// <summary>Columns.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>Bytes of one pixel.</summary>
    public int PixelSize => SizeOf(Mode);

    /// <summary>[height, width, bytes of a pixel], rows from the top.</summary>
    public ReadOnlySpan<byte> Pixels => pixels;

    /// <summary>The same bytes as <see cref="Pixels"/>, for code that needs memory rather than a span.</summary>
    public ReadOnlyMemory<byte> Memory => pixels;

    /// <summary>[256, 4] red, green, blue, alpha of every index; empty unless the mode is <see cref="PixelMode.Indexed"/>.</summary>
    public ReadOnlySpan<byte> Palette => palette;

    /// <summary>The one colour that the file calls transparent, for modes without alpha; null when there is none.</summary>
    public (byte Red, byte Green, byte Blue)? TransparentColour { get; init; }

    /// <summary>The picture in red, green, blue, converted with Pillow's arithmetic; itself when it is that already.</summary>
    public RgbImage ToRgb(AlphaRule alpha)
    {
        if (this is RgbImage already) return already;
        var rgb = new byte[checked(Width * Height * 3)];
        PixelConversion.ToRgb(this, alpha, rgb);
        return new RgbImage(Width, Height, rgb);
    }

    /// <summary>Other pixels in the same mode, with the same palette and transparent colour.</summary>
    internal NativeImage With(int width, int height, byte[] changed) => this is RgbImage
        ? new RgbImage(width, height, changed)
        : new NativeImage(Mode, width, height, changed, Mode == PixelMode.Indexed ? palette : null) { TransparentColour = TransparentColour };

    internal static int SizeOf(PixelMode mode) => mode switch
    {
        PixelMode.Bilevel or PixelMode.Grey or PixelMode.Indexed => 1,
        PixelMode.Grey16 or PixelMode.GreyAlpha => 2,
        PixelMode.Rgb => 3,
        _ => 4,
    };
}
