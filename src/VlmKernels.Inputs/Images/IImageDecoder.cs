namespace VlmKernels.Inputs;

/// <summary>What becomes of transparency when a picture is turned into RGB.</summary>
public enum AlphaRule
{
    /// <summary>Composited on white, as transformers 5 does.</summary>
    OnWhite,

    /// <summary>Dropped: the colour stored under a transparent pixel shows, as with Pillow's <c>convert("RGB")</c>.</summary>
    Drop,
}

/// <summary>How a picture file becomes an <see cref="RgbImage"/>.</summary>
/// <param name="Alpha">What becomes of transparency; pictures in their native mode keep it.</param>
/// <param name="ApplyOrientation">Whether the EXIF orientation turns or mirrors the picture.</param>
/// <param name="MaxPixels">The most pixels (width * height) a file may announce; checked before any pixel is decoded. The default is Pillow's own limit.</param>
/// <param name="MaxFileBytes">The most bytes that are read of a file; checked before and while it is read.</param>
public sealed record DecodeOptions(
    AlphaRule Alpha = AlphaRule.OnWhite, bool ApplyOrientation = true, long MaxPixels = DecodeOptions.PillowMaxPixels, long MaxFileBytes = DecodeOptions.DefaultMaxFileBytes)
{
    /// <summary>256 MiB: far above any photo, and still little enough to hold in memory.</summary>
    public const long DefaultMaxFileBytes = 1 << 28;

    /// <summary>The number of pixels above which Pillow refuses a file as a decompression bomb.</summary>
    public const long PillowMaxPixels = 178_956_970;
}

/// <summary>Reads picture files.</summary>
public interface IImageDecoder
{
    /// <summary>Decodes the first frame of a whole file held in memory.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What error messages call the file.</param>
    /// <param name="options">Defaults when null.</param>
    /// <exception cref="ImageFormatException">The file is unknown, refused, damaged, cut short or too large.</exception>
    RgbImage Decode(ReadOnlySpan<byte> file, string name, DecodeOptions? options = null);

    /// <summary>Decodes the first frame of a file.</summary>
    /// <exception cref="ImageFormatException">The file is unknown, refused, damaged, cut short or too large.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    RgbImage DecodeFile(string path, DecodeOptions? options = null);

    /// <summary>Decodes the first frame of a whole file held in memory, in the pixel mode of the file.</summary>
    /// <param name="file">The file's bytes.</param>
    /// <param name="name">What error messages call the file.</param>
    /// <param name="options">Defaults when null.</param>
    /// <exception cref="ImageFormatException">The file is unknown, refused, damaged, cut short or too large.</exception>
    NativeImage DecodeNative(ReadOnlySpan<byte> file, string name, DecodeOptions? options = null);

    /// <summary>Decodes the first frame of a file, in the pixel mode of the file: what <see cref="ImagePipeline.Apply"/> takes.</summary>
    /// <exception cref="ImageFormatException">The file is unknown, refused, damaged, cut short or too large.</exception>
    /// <exception cref="IOException">The file cannot be opened or read.</exception>
    NativeImage DecodeNativeFile(string path, DecodeOptions? options = null);
}
