using System.Buffers;
using SkiaSharp;

namespace VlmKernels.Inputs;

/// <summary>
/// Decodes PNG, JPEG, WebP, GIF and BMP with SkiaSharp's codecs: un-premultiplied, without colour management, damage being an error.
/// The pixels are those of Pillow 12 and 13 (libjpeg-turbo and libwebp are the same libraries there). Instances hold no state and may be shared by threads.
/// </summary>
public sealed class SkiaImageDecoder : IImageDecoder
{
    /// <inheritdoc/>
    public RgbImage DecodeFile(string path, DecodeOptions? options = null) => Decode(File.ReadAllBytes(path), path, options);

    /// <inheritdoc/>
    public RgbImage Decode(ReadOnlySpan<byte> file, string name, DecodeOptions? options = null)
    {
        options ??= new DecodeOptions();
        PictureFormat format = PictureFormats.Identify(file, name);
        int orientation = 0;
        if (format == PictureFormat.Png)
        {
            PngChunks chunks = PngChunks.Read(file, name, options.MaxPixels);
            orientation = chunks.Orientation;
            // The codec reduces 16 bits to 8 by dropping the low byte; Pillow keeps 16 bit grey and saturates it.
            if (chunks.IsGrey16) return Orient(PngGrey16.Decode(file, chunks, name, options.Alpha), options, orientation);
        }
        else if (format == PictureFormat.Jpeg)
        {
            JpegStructure.RequireEnd(file, name);
        }
        using SKData data = SKData.CreateCopy(file);
        using SKCodec codec = SKCodec.Create(data) ?? throw new ImageFormatException(name, $"damaged {format} header");
        CheckSize(codec.Info, options.MaxPixels, name);
        if (format != PictureFormat.Png) orientation = (int)codec.EncodedOrigin;
        return Orient(ReadPixels(codec, format, options.Alpha, name), options, orientation);
    }

    private static RgbImage Orient(RgbImage image, DecodeOptions options, int orientation) =>
        options.ApplyOrientation ? ExifOrientation.Apply(image, orientation) : image;

    private static void CheckSize(SKImageInfo info, long maxPixels, string name)
    {
        if (info.Width < 1 || info.Height < 1) throw new ImageFormatException(name, $"a picture of {info.Width}x{info.Height} pixels");
        if ((long)info.Width * info.Height > maxPixels)
        {
            throw new ImageFormatException(name, $"{info.Width}x{info.Height} pixels announced, at most {maxPixels} allowed");
        }
    }

    private static RgbImage ReadPixels(SKCodec codec, PictureFormat format, AlphaRule alpha, string name)
    {
        bool grey = codec.Info.ColorType == SKColorType.Gray8;
        // No colour space in the target: the codec then hands out the stored samples.
        var target = new SKImageInfo(codec.Info.Width, codec.Info.Height, grey ? SKColorType.Gray8 : SKColorType.Rgba8888, grey ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        if (target.BytesSize64 > Array.MaxLength) throw new ImageFormatException(name, $"{target.Width}x{target.Height} pixels do not fit one array");
        byte[] samples = ArrayPool<byte>.Shared.Rent(target.BytesSize);
        try
        {
            SKCodecResult result = GetPixels(codec, target, samples);
            if (result != SKCodecResult.Success) throw new ImageFormatException(name, $"damaged or truncated {format} data ({result})");
            ReadOnlySpan<byte> used = samples.AsSpan(0, target.BytesSize);
            return grey ? PixelConversion.FromGrey(used, target.Width, target.Height) : PixelConversion.FromRgba(used, target.Width, target.Height, alpha);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(samples);
        }
    }

    private static unsafe SKCodecResult GetPixels(SKCodec codec, SKImageInfo target, byte[] samples)
    {
        fixed (byte* p = samples) return codec.GetPixels(target, (nint)p, target.RowBytes, new SKCodecOptions(0));
    }
}
