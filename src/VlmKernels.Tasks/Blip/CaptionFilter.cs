using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>
/// Keeps of pictures' texts those that fit, and has one more written for each picture that has to fit as well: CapFilt (BLIP, Li et al. 2022, section 3.3).
/// </summary>
/// <param name="model">Judges the texts.</param>
/// <param name="session">A session on its backend.</param>
public sealed class CaptionFilter(BlipMatchRuntime model, Session session)
{
    /// <summary>A text is kept when the probability of a match is above it.</summary>
    public const float DefaultThreshold = 0.5f;

    /// <summary>Probability that the tokens reach together from which a synthetic caption is drawn.</summary>
    public const float TopP = 0.9f;

    /// <summary>A text is kept when the probability of a match is above it.</summary>
    public float Threshold { get; init; } = DefaultThreshold;

    /// <summary>Writes a caption for each picture; null: there are only the given texts. On the same backend.</summary>
    public BlipCaptionRuntime? Captioner { get; init; }

    /// <summary>Seed of the synthetic captions.</summary>
    public ulong Seed { get; init; }

    /// <summary>Whether photos are turned as their EXIF orientation says.</summary>
    public bool Orient { get; init; } = true;

    /// <summary>Filters all pictures behind the first ones, in order, pass by pass. Draws belong to a picture's place in the list.</summary>
    /// <param name="pictures">Pictures with at least one text each.</param>
    /// <param name="first">How many are left out.</param>
    /// <param name="cancellation">Looked at between passes, and between tokens of captions.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InvalidDataException">The model gave a probability that is no finite number.</exception>
    public IEnumerable<FilteredPicture[]> Of(IReadOnlyList<AnnotatedPicture> pictures, int first = 0, CancellationToken cancellation = default)
    {
        using var synthetic = Captions([.. pictures.Select(p => p.Image)], first, cancellation).GetEnumerator();
        using var reader = PictureReader.OfFiles(model, [.. pictures.Skip(first).Select(p => p.Image)], model.PicturesAtOnce, Orient);
        foreach (var batch in reader.Batches(cancellation))
        {
            var texts = new (string Text, bool IsSynthetic)[batch.Count][];
            for (int i = 0; i < batch.Count; i++)
            {
                texts[i] = [.. pictures[first + batch.First + i].Captions.Select(c => (c, false))];
                if (synthetic.MoveNext() && synthetic.Current.Captions is [var caption, ..]) texts[i] = [.. texts[i], (caption.Text, true)];
            }
            var filtered = new FilteredPicture[batch.Count];
            foreach (var (index, reason) in batch.Unreadable) filtered[index - batch.First] = new FilteredPicture(pictures[first + index].Image, [], 0, reason);
            foreach (var (at, count) in Runs(batch, texts))
            {
                var pixels = batch.Pixels.Slice(at * model.PixelBytes, count * model.PixelBytes);
                int[] places = [.. batch.Read.Skip(at).Take(count).Select(r => r - batch.First)];
                var scores = model.Match(session, pixels, count, [.. places.SelectMany(p => texts[p]).Select(t => t.Text)]);
                int judged = texts[places[0]].Length;
                for (int i = 0; i < count; i++) filtered[places[i]] = Keep(pictures[first + batch.First + places[i]].Image, texts[places[i]], scores.AsSpan(i * judged, judged));
            }
            yield return filtered;
        }
    }

    /// <summary>What decides about the result besides the list of pictures, by name: for <see cref="LinesFile"/>.</summary>
    public IReadOnlyDictionary<string, string> Settings(IReadOnlyList<AnnotatedPicture> pictures) => new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["texts"] = $"SHA-256 {Fingerprint.Of(pictures.SelectMany(p => p.Captions.Append("")))}",
        ["model"] = model.Description,
        ["model and instruction set"] = Fingerprint.Of(model, session),
        ["threshold"] = FormattableString.Invariant($"{Threshold}"),
        ["orientation"] = Orient ? "applied" : "as stored",
        ["synthetic captions"] = Captioner is null ? "none" : FormattableString.Invariant($"{Captioner.Description}, {Fingerprint.Of(Captioner, session)}, seed {Seed}"),
    };

    private IEnumerable<PictureCaptions> Captions(string[] files, int first, CancellationToken cancellation)
    {
        if (Captioner is null) return [];
        var captioning = new Captioning(Captioner, session) { Options = new WritingOptions { Samples = true, TopP = TopP, Seed = Seed }, Orient = Orient };
        return captioning.Of(files, first, cancellation).SelectMany(b => b);
    }

    /// <summary>Neighbours among the readable pictures that have equally many texts, which is what a pass takes.</summary>
    private static IEnumerable<(int At, int Count)> Runs(PictureBatch batch, (string Text, bool IsSynthetic)[][] texts)
    {
        for (int at = 0, count; at < batch.Read.Count; at += count)
        {
            int length = texts[batch.Read[at] - batch.First].Length;
            for (count = 1; at + count < batch.Read.Count && texts[batch.Read[at + count] - batch.First].Length == length; count++) { }
            yield return (at, count);
        }
    }

    private FilteredPicture Keep(string file, (string Text, bool IsSynthetic)[] texts, ReadOnlySpan<MatchScore> scores)
    {
        var kept = new List<KeptText>();
        for (int i = 0; i < texts.Length; i++)
        {
            float probability = scores[i].Probability;
            if (!float.IsFinite(probability)) throw new InvalidDataException($"{file}: the model gave a probability that is no finite number");
            if (probability > Threshold) kept.Add(new KeptText(texts[i].Text, texts[i].IsSynthetic, probability));
        }
        return new FilteredPicture(file, kept, texts.Length, null);
    }
}
