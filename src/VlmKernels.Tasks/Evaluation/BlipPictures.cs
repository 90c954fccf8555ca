using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>Pictures for the evaluations of BLIP.</summary>
internal static class BlipPictures
{
    private const byte Grey = 128;

    /// <summary>A prepared picture that shows nothing: one grey. What a model scores on it comes from its texts alone.</summary>
    public static byte[] Blind(BlipRuntime blip)
    {
        var pixels = new byte[blip.PixelBytes];
        Array.Fill(pixels, Grey);
        return pixels;
    }

    /// <summary>Reads pictures batch by batch, as many as the model takes at once.</summary>
    /// <param name="blip">Prepares them.</param>
    /// <param name="files">Their paths.</param>
    /// <param name="progress">Called with the number of pictures done.</param>
    /// <exception cref="ImageFormatException">A picture cannot be read.</exception>
    public static IEnumerable<PictureBatch> Read(BlipRuntime blip, IReadOnlyList<string> files, Action<int>? progress = null)
    {
        using var reader = PictureReader.OfFiles(blip, files, blip.PicturesAtOnce);
        foreach (var batch in reader.Batches())
        {
            if (batch.Unreadable is [var (_, reason), ..]) throw new ImageFormatException(reason);
            yield return batch;
            progress?.Invoke(batch.First + batch.Count);
        }
    }

    /// <summary>A text as the model would have written it: "t-shirt" becomes "t - shirt" in BERT's vocabulary.</summary>
    public static string AsWritten(BlipRuntime blip, string text) => blip.Text.Decode(blip.Tokenizer.Encode(text));
}
