using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>How well a text fits a picture.</summary>
/// <param name="Probability">That they belong together, judged by reading the text together with the picture (ITM).</param>
/// <param name="Cosine">Cosine of their embeddings (ITC).</param>
/// <param name="Logit">Logit of a match, before the softmax that makes the probability: what candidates of a search are ordered by.</param>
public readonly record struct MatchScore(float Probability, float Cosine, float Logit);

/// <summary>A BLIP checkpoint that says how well texts fit pictures.</summary>
public sealed class BlipMatchRuntime : BlipRuntime, IEmbeddingModel
{
    private readonly BlipMatcher _model;

    private BlipMatchRuntime(LoadedModel<BlipMatcher> loaded, BlipParts parts)
        : base(loaded, loaded.Model.Encoder.Vision, parts) => _model = loaded.Model;

    /// <summary>Loads a checkpoint together with what lies beside it: configuration, preprocessor and tokenizer files.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is no BLIP model that matches texts.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static BlipMatchRuntime Open(string path, IBackend backend) => Open(path, BlipTask.Match, (c, parts) => new BlipMatchRuntime(c.LoadMatcher(backend), parts));

    /// <summary>Floats of an embedding.</summary>
    public int EmbeddingSize => Config.MatchSize;

    /// <summary>Judges texts by reading them together with pictures, and by cosine.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The prepared pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="texts">As many for each picture, those of the first picture first; cut where they are longer than the model's context.</param>
    /// <exception cref="ArgumentException">The number of bytes or texts is wrong.</exception>
    public MatchScore[] Match(Session s, ReadOnlySpan<byte> pixels, int count, IReadOnlyList<string> texts)
    {
        int perPicture = PerPicture(texts.Count, count);
        var scores = new MatchScore[texts.Count];
        using var mark = s.Mark();
        var images = Encode(s, pixels, count);
        float[] ofImages = Values(s, _model.EmbedImages(s, images));
        foreach (int[] some in Enumerable.Range(0, texts.Count).Chunk(TextsAtOnce))
        {
            using var pass = s.Mark();
            var read = Text.Pad([.. some.Select(i => Text.Match(texts[i]))]);
            float[] logits = Values(s, _model.MatchLogits(s, read.All, BlipVisionTower.Pick(s, images, [.. some.Select(i => i / perPicture)])));
            float[] ofTexts = Values(s, EmbedTexts(s, [.. some.Select(i => texts[i])]));
            for (int i = 0; i < some.Length; i++) scores[some[i]] = new MatchScore(SecondOfTwo(logits[2 * i], logits[(2 * i) + 1]), Dot(Row(ofImages, some[i] / perPicture), Row(ofTexts, i)), logits[(2 * i) + 1]);
        }
        return scores;
    }

    /// <summary>True when a text has more tokens or words than the model compares, so that its end does not count.</summary>
    public bool IsCut(string text) => Text.IsCut(text);

    /// <summary>Embeds prepared pictures, scaled to length 1.</summary>
    /// <returns>[pictures, embedding] F in the session's workspace.</returns>
    /// <exception cref="ArgumentException">The number of bytes is wrong.</exception>
    public Tensor EmbedPixels(Session s, ReadOnlySpan<byte> pixels, int count)
    {
        var result = s.TakeFloat(count, EmbeddingSize);
        for (int first = 0; first < count; first += PicturesAtOnce)
        {
            int now = Math.Min(PicturesAtOnce, count - first);
            using var mark = s.Mark();
            s.Ops.CopyRows(CopyRowsArgs.All(_model.EmbedImages(s, Encode(s, pixels.Slice(first * PixelBytes, now * PixelBytes), now)), result.SliceRows(first, now)));
        }
        return result;
    }

    /// <summary>Embeds texts, scaled to length 1; cut where they are longer than the model's context.</summary>
    /// <returns>[texts, embedding] F in the session's workspace.</returns>
    public Tensor EmbedTexts(Session s, IReadOnlyList<string> texts)
    {
        var result = s.TakeFloat(texts.Count, EmbeddingSize);
        int first = 0;
        foreach (string[] some in texts.Chunk(TextsAtOnce))
        {
            using var mark = s.Mark();
            s.Ops.CopyRows(CopyRowsArgs.All(_model.EmbedText(s, Text.Pad([.. some.Select(Text.Comparison)]).All), result.SliceRows(first, some.Length)));
            first += some.Length;
        }
        return result;
    }

    private ReadOnlySpan<float> Row(float[] rows, int row) => rows.AsSpan(row * EmbeddingSize, EmbeddingSize);

    private static float[] Values(Session s, Tensor rows)
    {
        var values = new float[rows.Shape.Count];
        s.CopyOut<float>(rows, values);
        return values;
    }

    private static float Dot(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        float sum = 0;
        for (int i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }
}
