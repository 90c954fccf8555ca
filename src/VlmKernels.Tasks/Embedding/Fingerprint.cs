using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Short texts that differ when what they stand for does.</summary>
internal static class Fingerprint
{
    private const int Characters = 16;

    private const string Text = "a photo of a purple sneaker";

    /// <summary>Of a list.</summary>
    public static string Of(IEnumerable<string> items)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string item in items)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(item));
            hash.AppendData([0]);
        }
        return Short(hash.GetHashAndReset());
    }

    /// <summary>
    /// Of everything that an embedding passes through, by the bits of one: preprocessing or tokenizer, weights, kernels and their instruction set. It
    /// takes one pass, where the weights' own hash would take all of a large file.
    /// </summary>
    public static string Of(IEmbeddingModel model, Session session, bool texts)
    {
        using var mark = session.Mark();
        var values = new float[model.EmbeddingSize];
        session.CopyOut<float>(texts ? model.EmbedTexts(session, [$"{Text}, 0123456789"]) : model.EmbedPixels(session, Pixels(model), 1), values);
        return Short(SHA256.HashData(MemoryMarshal.AsBytes(values.AsSpan())));
    }

    /// <summary>Likewise of captions, by how likely one is of a picture.</summary>
    public static string Of(BlipCaptionRuntime model, Session session)
        => Short(SHA256.HashData(BitConverter.GetBytes(model.LogProbability(session, Pixels(model), 1, [Text])[0].LogProbability)));

    /// <summary>Likewise of matches.</summary>
    public static string Of(BlipMatchRuntime model, Session session)
        => Short(SHA256.HashData(BitConverter.GetBytes(model.Match(session, Pixels(model), 1, [Text])[0].Logit)));

    private static byte[] Pixels(IPicturePreparer model)
    {
        byte[] pixels = new byte[model.PixelBytes];
        model.Prepare(Picture((int)Math.Sqrt(pixels.Length / 3)), pixels);
        return pixels;
    }

    /// <summary>A picture that has to be resized and cropped, with edges and all values of a byte.</summary>
    private static RgbImage Picture(int size)
    {
        int width = 3 * size, height = 2 * size;
        var pixels = new byte[width * height * 3];
        for (int i = 0; i < pixels.Length; i++) pixels[i] = (byte)((i * 7) ^ (i / width * 13));
        return new RgbImage(width, height, pixels);
    }

    private static string Short(byte[] hash) => Convert.ToHexStringLower(hash)[..Characters];
}
