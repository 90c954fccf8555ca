using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>Writes captions of a list of picture files, which are decoded while the model works on those before them.</summary>
/// <param name="model">The model.</param>
/// <param name="session">A session on its backend.</param>
public sealed class Captioning(BlipCaptionRuntime model, Session session)
{
    /// <summary>How captions are written.</summary>
    public WritingOptions Options { get; init; } = new();

    /// <summary>What every caption begins with; null: the layout's own prompt.</summary>
    public string? Prompt { get; init; }

    /// <summary>Whether photos are turned as their EXIF orientation says.</summary>
    public bool Orient { get; init; } = true;

    /// <summary>Gets tokens as soon as they are chosen, the end token included; never called for beams.</summary>
    public Action<int, int>? OnToken { get; init; }

    /// <summary>Refuses what no caption could be written with, before anything is read or written.</summary>
    /// <exception cref="ArgumentException">Options contradict each other or the model.</exception>
    public void Check() => _ = model.RowsPerPicture(Options, Prompt);

    /// <summary>Captions of all pictures behind the first ones, in order, pass by pass. Draws belong to a picture's place in the list.</summary>
    /// <param name="files">Paths of pictures.</param>
    /// <param name="first">How many are left out.</param>
    /// <param name="cancellation">Looked at between tokens.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="ArgumentException">Options contradict each other or the model.</exception>
    public IEnumerable<PictureCaptions[]> Of(IReadOnlyList<string> files, int first = 0, CancellationToken cancellation = default)
    {
        int most = Math.Clamp(WritingOptions.MostRows / model.RowsPerPicture(Options, Prompt), 1, model.PicturesAtOnce);
        using var reader = PictureReader.OfFiles(model, [.. files.Skip(first)], most, Orient);
        foreach (var batch in reader.Batches(cancellation))
        {
            var captions = new PictureCaptions[batch.Count];
            foreach (var (index, reason) in batch.Unreadable) captions[index - batch.First] = new PictureCaptions(files[first + index], [], reason);
            // A row's draws go by its number: a gap in the batch ends a run of neighbours.
            for (int at = 0; at < batch.Read.Count;)
            {
                int count = 1;
                while (at + count < batch.Read.Count && batch.Read[at + count] == batch.Read[at] + count) count++;
                var pixels = batch.Pixels.Slice(at * model.PixelBytes, count * model.PixelBytes);
                var written = model.Caption(session, pixels, count, Options with { FirstRow = (first + batch.Read[at]) * Options.Count }, Prompt, OnToken, cancellation);
                cancellation.ThrowIfCancellationRequested();
                for (int i = 0; i < count; i++) captions[batch.Read[at + i] - batch.First] = new PictureCaptions(files[first + batch.Read[at + i]], written[i], null);
                at += count;
            }
            yield return captions;
        }
    }

    /// <summary>What decides about the captions besides the list of pictures, by name: for <see cref="LinesFile"/>.</summary>
    public IReadOnlyDictionary<string, string> Settings()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["model"] = model.Description,
            ["model and instruction set"] = Fingerprint.Of(model, session),
            ["prompt"] = Prompt ?? "the model's own",
            ["orientation"] = Orient ? "applied" : "as stored",
        };
        foreach (var (name, value) in Options.Settings()) settings.Add(name, value);
        return settings;
    }
}
