using VlmKernels.Inputs;
using VlmKernels.Kernels;
using VlmKernels.Models;
using VlmKernels.Weights;

namespace VlmKernels.Tasks;

/// <summary>A BLIP checkpoint that writes captions.</summary>
public sealed class BlipCaptionRuntime : BlipRuntime
{
    // A logit for every token of the vocabulary stands behind every token of a text that is judged.
    private const int JudgedAtOnce = 16;

    private readonly BlipCaptioner _model;

    private BlipCaptionRuntime(LoadedModel<BlipCaptioner> loaded, BlipParts parts)
        : base(loaded, loaded.Model.Vision, parts) => _model = loaded.Model;

    /// <summary>Loads a checkpoint together with what lies beside it: configuration, preprocessor and tokenizer files.</summary>
    /// <param name="path">A checkpoint file, an index of shards, or a folder.</param>
    /// <param name="backend">Computes; must outlive the result.</param>
    /// <exception cref="WeightFileException">The file cannot be read, or is no BLIP model that writes captions.</exception>
    /// <exception cref="WeightMismatchException">Tensors are missing, have other shapes or stay unused.</exception>
    /// <exception cref="ConfigFormatException">A configuration is broken or asks for what this version does not build.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer for the checkpoint.</exception>
    public static BlipCaptionRuntime Open(string path, IBackend backend) => Open(path, BlipTask.Caption, (c, parts) => new BlipCaptionRuntime(c.LoadCaptioner(backend), parts));

    /// <summary>Rows that continue each picture with these options, which are checked as <see cref="Caption"/> does, without a picture.</summary>
    /// <exception cref="ArgumentException">Options contradict each other or the model.</exception>
    internal int RowsPerPicture(WritingOptions options, string? prompt)
    {
        int length = Text.CaptionPrompt(prompt).Length;
        var generation = Generation(options, Config.Conventions.Captions, Config.Conventions.Samples, length);
        generation.Check(Config.Text.Vocabulary);
        generation.LongestRow(length, Config.Text.Context);
        return generation.RowsPerPrompt;
    }

    /// <summary>Writes captions.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The prepared pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="options">How; null: as the model's own implementation does.</param>
    /// <param name="prompt">What every caption begins with; null: the layout's own prompt, which is no part of the captions.</param>
    /// <param name="onToken">Gets row and token as soon as they are chosen, the end token included; never called for beams.</param>
    /// <param name="cancellation">Looked at between tokens; what is written so far is the result then.</param>
    /// <returns>For each picture <see cref="WritingOptions.Count"/> captions, the best beam first.</returns>
    /// <exception cref="ArgumentException">The number of bytes is wrong, or options contradict each other or the model.</exception>
    public WrittenText[][] Caption(
        Session s, ReadOnlySpan<byte> pixels, int count, WritingOptions? options = null, string? prompt = null, Action<int, int>? onToken = null, CancellationToken cancellation = default)
    {
        int[] start = Text.CaptionPrompt(prompt);
        var conventions = Config.Conventions;
        var generation = Generation(options, conventions.Captions, conventions.Samples, start.Length) with { FirstRows = FirstRows(options, Enumerable.Range(0, count)) };
        using var mark = s.Mark();
        var written = _model.Decoder.Write(s, Encode(s, pixels, count), [.. Enumerable.Repeat(start, count)], generation, onToken, withTrace: false, cancellation);
        return Texts(written, generation.Stops, count, start.Length, prompt is null ? Text.DecodeCaption : Text.Decode);
    }

    /// <summary>How likely the model would have written texts, token by token.</summary>
    /// <param name="s">A session on the runtime's backend.</param>
    /// <param name="pixels">The prepared pictures.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="texts">As many for each picture, those of the first picture first.</param>
    /// <exception cref="ArgumentException">The number of bytes or texts is wrong, or a text is longer than the model's context.</exception>
    public TextLikelihood[] LogProbability(Session s, ReadOnlySpan<byte> pixels, int count, IReadOnlyList<string> texts)
    {
        int perPicture = PerPicture(texts.Count, count), prompt = Text.CaptionPrompt().Length;
        var result = new TextLikelihood[texts.Count];
        using var mark = s.Mark();
        var images = Encode(s, pixels, count);
        foreach (int[] some in Enumerable.Range(0, texts.Count).Chunk(JudgedAtOnce))
        {
            using var pass = s.Mark();
            var batch = Text.Pad([.. some.Select(i => Text.Caption(texts[i]))]);
            var logits = _model.Decoder.Logits(s, batch.All, new CrossStates(BlipVisionTower.Pick(s, images, [.. some.Select(i => i / perPicture)])));
            int[] labels = [.. batch.Ids.Select((id, i) => i % batch.Length < prompt ? Config.Tokens.Pad : id)];
            double[] losses = TokenLoss.PerText(s, logits, labels, Config.Tokens.Pad, smoothing: 0);
            for (int i = 0; i < some.Length; i++) result[some[i]] = new TextLikelihood(-losses[i], labels.Skip(i * batch.Length).Take(batch.Length).Count(l => l != Config.Tokens.Pad));
        }
        return result;
    }
}
