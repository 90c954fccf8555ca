namespace VlmKernels.Inputs;

/// <summary>
/// Decodes PNG, JPEG, WebP, GIF and BMP to the pixels of Pillow 12 and 13, damage being an error. JPEG, WebP and BMP come from SkiaSharp's codecs
/// (libjpeg-turbo and libwebp are the same libraries there), without colour management. Instances hold no state and may be shared by threads.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    /// <inheritdoc/>
    public RgbImage DecodeFile(string path, DecodeOptions? options = null) => DecodeNativeFile(path, options).ToRgb((options ?? new DecodeOptions()).Alpha);

    /// <inheritdoc/>
    public RgbImage Decode(ReadOnlySpan<byte> file, string name, DecodeOptions? options = null) => DecodeNative(file, name, options).ToRgb((options ?? new DecodeOptions()).Alpha);

    /// <inheritdoc/>
    public NativeImage DecodeNativeFile(string path, DecodeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        return DecodeNative(PictureFile.Read(path, (options ?? new DecodeOptions()).MaxFileBytes), path, options);
    }

    /// <inheritdoc/>
    public NativeImage DecodeNative(ReadOnlySpan<byte> file, string name, DecodeOptions? options = null)
    {
        options ??= new DecodeOptions();
        PictureFormat format = PictureFormats.Identify(file, name);
        if (format == PictureFormat.Gif) return GifReader.Decode(file, name, options.MaxPixels);
        int orientation;
        NativeImage image;
        if (format == PictureFormat.Png)
        {
            PngChunks chunks = PngChunks.Read(file, name, options.MaxPixels);
            (image, orientation) = (PngReader.Decode(file, chunks, name), chunks.Orientation);
        }
        else
        {
            image = DecodeWithCodec(file, format, name, options.MaxPixels, out orientation);
        }
        return options.ApplyOrientation ? ExifOrientation.Apply(image, orientation) : image;
    }

    private static NativeImage DecodeWithCodec(ReadOnlySpan<byte> file, PictureFormat format, string name, long maxPixels, out int orientation)
    {
        if (format == PictureFormat.Jpeg) JpegStructure.RequireEnd(file, name);
        BmpColours? colours = format == PictureFormat.Bmp ? BmpColours.Read(file) : null;
        using var picture = CodecPicture.Open(colours is null ? file : colours.IndexFile, format, name, maxPixels);
        orientation = picture.Orientation;
        if (colours is not null) return colours.Picture(picture.Width, picture.Height, picture.ReadFirstChannel());
        return (format == PictureFormat.Jpeg ? CmykJpeg.Decode(file, name, maxPixels) : null) ?? picture.Read();
    }
}
