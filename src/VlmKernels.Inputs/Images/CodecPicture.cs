using System.Buffers;
using SkiaSharp;

namespace VlmKernels.Inputs;

/// <summary>A picture file opened by a codec: sizes are checked before pixels are read, and stored samples come out as they are, un-premultiplied.</summary>
internal sealed class CodecPicture : IDisposable
{
    private readonly SKData data;
    private readonly SKCodec codec;
    private readonly PictureFormat format;
    private readonly string name;

    private readonly bool hasAlpha;

    private CodecPicture(SKData data, SKCodec codec, PictureFormat format, string name)
    {
        (this.data, this.codec, this.format, this.name) = (data, codec, format, name);
        hasAlpha = codec.Info.AlphaType != SKAlphaType.Opaque || (format == PictureFormat.Webp && SaysAlpha(data.AsSpan()));
    }

    public int Width => codec.Info.Width;

    public int Height => codec.Info.Height;

    /// <summary>The EXIF orientation, 1 to 8.</summary>
    public int Orientation => (int)codec.EncodedOrigin;

    public bool IsGrey => codec.Info.ColorType == SKColorType.Gray8;

    /// <exception cref="ImageFormatException">A damaged header, or more pixels than allowed.</exception>
    public static CodecPicture Open(ReadOnlySpan<byte> file, PictureFormat format, string name, long maxPixels)
    {
        SKData data = SKData.CreateCopy(file);
        if (SKCodec.Create(data) is not { } codec)
        {
            data.Dispose();
            throw new ImageFormatException(name, $"damaged {format} header");
        }
        var picture = new CodecPicture(data, codec, format, name);
        if (picture.SizeProblem(maxPixels) is not { } problem) return picture;
        picture.Dispose();
        throw new ImageFormatException(name, problem);
    }

    /// <summary>The pixels as grey, RGBA where the file has alpha, else RGB.</summary>
    public NativeImage Read()
    {
        if (IsGrey) return new NativeImage(PixelMode.Grey, Width, Height, ReadSamples(SKColorType.Gray8, used => used.ToArray()));
        if (hasAlpha) return new NativeImage(PixelMode.Rgba, Width, Height, ReadSamples(SKColorType.Rgba8888, used => used.ToArray()));
        return new RgbImage(Width, Height, ReadSamples(SKColorType.Rgba8888, used =>
        {
            var rgb = new byte[used.Length / 4 * 3];
            PixelConversion.FromRgba(used, rgb);
            return rgb;
        }));
    }

    /// <summary>[height, width] the grey of a grey picture, or the red of others.</summary>
    public byte[] ReadFirstChannel() => IsGrey ? ReadSamples(SKColorType.Gray8, used => used.ToArray()) : ReadSamples(SKColorType.Rgba8888, used =>
    {
        var first = new byte[used.Length / 4];
        for (int i = 0; i < first.Length; i++) first[i] = used[i * 4];
        return first;
    });

    public void Dispose()
    {
        codec.Dispose();
        data.Dispose();
    }

    // An animation may have alpha that its first frame does not use.
    private static bool SaysAlpha(ReadOnlySpan<byte> file) => file.Length > 20 && file[12..].StartsWith("VP8X"u8) && (file[20] & 0x10) != 0;

    private string? SizeProblem(long maxPixels)
    {
        if (Width < 1 || Height < 1) return $"a picture of {Width}x{Height} pixels";
        if ((long)Width * Height > maxPixels) return $"{Width}x{Height} pixels announced, at most {maxPixels} allowed";
        return (long)Width * Height * 4 > Array.MaxLength ? $"{Width}x{Height} pixels do not fit one array" : null;
    }

    private delegate byte[] Taker(ReadOnlySpan<byte> samples);

    // No colour space in the target: the codec then hands out the stored samples.
    private byte[] ReadSamples(SKColorType type, Taker take)
    {
        var target = new SKImageInfo(Width, Height, type, type == SKColorType.Gray8 ? SKAlphaType.Opaque : SKAlphaType.Unpremul);
        byte[] samples = ArrayPool<byte>.Shared.Rent(target.BytesSize);
        try
        {
            SKCodecResult result = GetPixels(target, samples);
            if (result != SKCodecResult.Success) throw new ImageFormatException(name, $"damaged or truncated {format} data ({result})");
            return take(samples.AsSpan(0, target.BytesSize));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(samples);
        }
    }

    private unsafe SKCodecResult GetPixels(SKImageInfo target, byte[] samples)
    {
        fixed (byte* p = samples) return codec.GetPixels(target, (nint)p, target.RowBytes, new SKCodecOptions(0));
    }
}
