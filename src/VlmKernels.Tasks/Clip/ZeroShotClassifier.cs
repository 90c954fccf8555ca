using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;

namespace VlmKernels.Tasks;

/// <summary>A label and how probable it is.</summary>
/// <param name="Label">The label as it was given.</param>
/// <param name="Probability">0 to 1; those of all labels add up to 1.</param>
public readonly record struct LabelProbability(string Label, float Probability);

/// <summary>
/// Zero-shot classification (Radford et al. 2021, §3.1): a picture is compared with one text per label. With several templates a label's
/// embedding is the normalised mean over them (open_clip <c>zero_shot_classifier.py</c>).
/// </summary>
public sealed class ZeroShotClassifier
{
    /// <summary>The template used when none is given; {} stands for the label.</summary>
    public const string DefaultTemplate = "a photo of a {}";

    private readonly ClipRuntime _clip;
    private readonly string[] _labels;
    private readonly float[] _classes;

    /// <summary>Embeds the labels.</summary>
    /// <param name="clip">The model; must outlive the classifier.</param>
    /// <param name="session">A session on the model's backend; used only here.</param>
    /// <param name="labels">At least one; none empty.</param>
    /// <param name="templates">Texts with {} where the label goes; null: <see cref="DefaultTemplate"/>.</param>
    /// <exception cref="ArgumentException">There is no label, a label is empty, or a template lacks {}.</exception>
    public ZeroShotClassifier(ClipRuntime clip, Session session, IReadOnlyList<string> labels, IReadOnlyList<string>? templates = null)
    {
        templates = templates is null or { Count: 0 } ? [DefaultTemplate] : templates;
        if (labels.Count == 0) throw new ArgumentException("there is no label to choose from");
        if (labels.Any(string.IsNullOrWhiteSpace)) throw new ArgumentException("a label is empty");
        if (templates.FirstOrDefault(t => !t.Contains("{}", StringComparison.Ordinal)) is { } wrong) throw new ArgumentException($"template \"{wrong}\" has no {{}} for the label");
        (_clip, _labels) = (clip, [.. labels]);
        string[] texts = [.. labels.SelectMany(l => templates.Select(t => t.Replace("{}", l, StringComparison.Ordinal)))];
        CutLabels = [.. labels.Where((_, i) => texts.Skip(i * templates.Count).Take(templates.Count).Any(clip.IsCut))];
        _classes = MeanOfTemplates(Embed(session, texts), templates.Count);
    }

    /// <summary>The labels, in the order given.</summary>
    public IReadOnlyList<string> Labels => _labels;

    /// <summary>Labels that have more tokens, together with a template, than the model's context: their end does not count.</summary>
    public IReadOnlyList<string> CutLabels { get; }

    /// <summary>Probabilities of all labels for each picture.</summary>
    /// <param name="session">A session on the model's backend.</param>
    /// <param name="images">The pictures.</param>
    /// <returns>[pictures][labels], in the order of <see cref="Labels"/>.</returns>
    public float[][] Probabilities(Session session, IReadOnlyList<NativeImage> images)
    {
        using var mark = session.Mark();
        return Compare(session, _clip.EmbedImages(session, images));
    }

    /// <summary>Probabilities of all labels for each prepared picture.</summary>
    /// <param name="session">A session on the model's backend.</param>
    /// <param name="pixels">The pictures, one behind the other, as <see cref="ClipRuntime.Prepare"/> wrote them.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>[pictures][labels], in the order of <see cref="Labels"/>.</returns>
    public float[][] Probabilities(Session session, ReadOnlySpan<byte> pixels, int count)
    {
        using var mark = session.Mark();
        return Compare(session, _clip.EmbedPixels(session, pixels, count));
    }

    private float[][] Compare(Session session, Tensor images)
    {
        var classes = session.TakeFloat(_labels.Length, _clip.EmbeddingSize);
        session.CopyIn<float>(_classes, classes);
        var logits = _clip.Model.Logits(session, images, classes);
        session.Ops.Softmax(new SoftmaxArgs(logits, logits));
        float[] values = new float[images.Rows * _labels.Length];
        session.CopyOut<float>(logits, values);
        return [.. values.Chunk(_labels.Length)];
    }

    /// <summary>The most probable labels of each picture, most probable first; of equals the earlier label.</summary>
    /// <param name="session">A session on the model's backend.</param>
    /// <param name="images">The pictures.</param>
    /// <param name="top">How many labels; more than there are means all.</param>
    public IReadOnlyList<IReadOnlyList<LabelProbability>> Classify(Session session, IReadOnlyList<NativeImage> images, int top = int.MaxValue)
        => [.. Probabilities(session, images).Select(row => Best(row, top))];

    /// <summary>The most probable labels of each prepared picture, most probable first; of equals the earlier label.</summary>
    /// <param name="session">A session on the model's backend.</param>
    /// <param name="pixels">The pictures, one behind the other, as <see cref="ClipRuntime.Prepare"/> wrote them.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="top">How many labels; more than there are means all.</param>
    public IReadOnlyList<IReadOnlyList<LabelProbability>> Classify(Session session, ReadOnlySpan<byte> pixels, int count, int top = int.MaxValue)
        => [.. Probabilities(session, pixels, count).Select(row => Best(row, top))];

    private LabelProbability[] Best(float[] row, int top)
        => [.. row.Select((p, i) => new LabelProbability(_labels[i], p)).OrderByDescending(l => l.Probability).Take(top)];

    private float[] Embed(Session session, string[] texts)
    {
        int width = _clip.EmbeddingSize;
        float[] rows = new float[texts.Length * width];
        for (int first = 0; first < texts.Length; first += ClipRuntime.TextsAtOnce)
        {
            string[] now = texts[first..Math.Min(texts.Length, first + ClipRuntime.TextsAtOnce)];
            using var mark = session.Mark();
            session.CopyOut(_clip.EmbedTexts(session, now), rows.AsSpan(first * width, now.Length * width));
        }
        return rows;
    }

    private float[] MeanOfTemplates(float[] rows, int templates)
    {
        if (templates == 1) return rows;
        int width = _clip.EmbeddingSize;
        float[] means = new float[rows.Length / templates];
        for (int label = 0; label < _labels.Length; label++)
        {
            var mean = means.AsSpan(label * width, width);
            for (int t = 0; t < templates; t++)
            {
                var row = rows.AsSpan(((label * templates) + t) * width, width);
                for (int i = 0; i < width; i++) mean[i] += row[i];
            }
            double square = 0;
            foreach (float v in mean) square += (double)v * v;
            float scale = (float)(1 / Math.Max(Math.Sqrt(square), 1e-12));
            foreach (ref float v in mean) v *= scale;
        }
        return means;
    }
}
