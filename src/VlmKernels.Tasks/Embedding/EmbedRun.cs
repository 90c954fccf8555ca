using System.Diagnostics;
using System.Globalization;
using VlmKernels.Inputs;
using VlmKernels.Kernels;

namespace VlmKernels.Tasks;

/// <summary>What a run has made.</summary>
/// <param name="Count">Rows of the shard.</param>
/// <param name="Errors">Inputs of the shard that have no row.</param>
/// <param name="Now">Inputs that this run did; the others were done before.</param>
/// <param name="Seconds">What it took for them.</param>
/// <param name="Files">The shard's files.</param>
public sealed record EmbedResult(int Count, int Errors, int Now, double Seconds, IReadOnlyList<string> Files);

/// <summary>
/// Embeds a list of pictures or texts, or a shard of it, into files. A run that ended early, however it did, goes on when it is opened again, and its
/// files get the bits of an undisturbed one.
/// </summary>
public sealed class EmbedRun : IDisposable
{
    // Waiting for the disk after every batch would cost a fast model more than what an end between two commits does.
    private static readonly TimeSpan BetweenCommits = TimeSpan.FromSeconds(0.25);

    private const string ShardSetting = "shard";

    private readonly IEmbeddingModel _model;
    private readonly Session _session;
    private readonly IReadOnlyList<string> _inputs;
    private readonly EmbedOptions _options;
    private readonly EmbedOutput _output;
    private readonly int _first, _count, _batch;
    private readonly Stopwatch _sinceCommit = new();
    private float[] _values = [];

    private EmbedRun(IEmbeddingModel model, Session session, IReadOnlyList<string> inputs, EmbedOptions options, int batch)
    {
        (_model, _session, _inputs, _options, _batch) = (model, session, inputs, options, batch);
        (_first, _count) = options.Shard.Of(inputs.Count);
        _output = EmbedOutput.Open(options, model.EmbeddingSize, _count, Settings());
    }

    /// <summary>Inputs of the shard that are still to be done.</summary>
    public int Remaining => _count - _output.Done;

    /// <summary>Inputs of the shard that an earlier run did.</summary>
    public int Done => _output.Done;

    /// <summary>True when an earlier run did all of it.</summary>
    public bool Finished => _output.Finished;

    /// <summary>Begins a run, or finds out where an earlier one ended.</summary>
    /// <param name="model">The model; must outlive the run.</param>
    /// <param name="session">A session on its backend.</param>
    /// <param name="inputs">All inputs, those of other shards too: paths of pictures, or texts.</param>
    /// <param name="options">What to make of them.</param>
    /// <exception cref="ArgumentException">There is no input, the batch is none that the model takes, or an earlier run had other inputs, another model or other options.</exception>
    /// <exception cref="InvalidOperationException">The checkpoint lacks the tower.</exception>
    /// <exception cref="InvalidDataException">Files of an earlier run are damaged or missing.</exception>
    /// <exception cref="IOException">There are files that no run accounts for, another process is at work on the shard, or a file cannot be written.</exception>
    public static EmbedRun Open(IEmbeddingModel model, Session session, IReadOnlyList<string> inputs, EmbedOptions options)
    {
        if (inputs.Count == 0) throw new ArgumentException("there is nothing to embed");
        int most = options.Texts ? model.TextsAtOnce : model.PicturesAtOnce, batch = options.Batch ?? most;
        if (batch < 1 || batch > most) throw new ArgumentException($"--batch: expected 1 to {most}, found {batch}");
        return new EmbedRun(model, session, inputs, options, batch);
    }

    /// <summary>Does what remains.</summary>
    /// <param name="progress">Called with the number of inputs done by this run.</param>
    /// <param name="cancellation">Ends the run at the next batch; what is done stays done.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public EmbedResult Run(Action<int>? progress = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        int now = Remaining;
        if (!Finished)
        {
            _sinceCommit.Restart();
            if (_options.Texts) EmbedTexts(progress, cancellation);
            else EmbedPictures(progress, cancellation);
            _output.Finish(_options.Texts ? MetadataFile.Caption : MetadataFile.ImagePath, _inputs, _first, _count);
        }
        return new EmbedResult(_output.Rows, _count - _output.Rows, now, watch.Elapsed.TotalSeconds, _output.FinalFiles);
    }

    /// <summary>Lets the shard's files go.</summary>
    public void Dispose() => _output.Dispose();

    /// <summary>Shards that the runs of a folder were cut into; null when none says so.</summary>
    internal static int? ShardsOf(string folder)
    {
        string file = Path.Combine(folder, "run_0.json");
        if (!File.Exists(file) || !RunFile.Read(file).Settings.TryGetValue(ShardSetting, out string? shard)) return null;
        return int.TryParse(shard[(shard.LastIndexOf(' ') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : null;
    }

    private void EmbedPictures(Action<int>? progress, CancellationToken cancellation)
    {
        int start = _first + Done, before = Done;
        var decoder = new SkiaImageDecoder();
        using var reader = new PictureReader(_model, Remaining, (i, options) => PictureReader.DecodeFile(decoder, _inputs[start + i], options), _batch, _options.Orient);
        foreach (var batch in reader.Batches(cancellation))
        {
            if (batch.Read.Count > 0) Embed(batch.Read.Count, () => _model.EmbedPixels(_session, batch.Pixels, batch.Read.Count));
            int row = 0, refused = 0;
            for (int i = batch.First; i < batch.First + batch.Count; i++)
            {
                if (refused < batch.Unreadable.Count && batch.Unreadable[refused].Index == i) Refuse(start + i, batch.Unreadable[refused++].Reason);
                else Append(start + i, row++);
            }
            Commit(before, batch.First + batch.Count, progress, cancellation);
        }
    }

    private void EmbedTexts(Action<int>? progress, CancellationToken cancellation)
    {
        int start = _first + Done, before = Done, remaining = Remaining;
        for (int at = 0; at < remaining; at += _batch)
        {
            string[] part = [.. Enumerable.Range(start + at, Math.Min(_batch, remaining - at)).Select(i => _inputs[i])];
            Embed(part.Length, () => _model.EmbedTexts(_session, part));
            for (int i = 0; i < part.Length; i++) Append(start + at + i, i);
            Commit(before, at + part.Length, progress, cancellation);
        }
    }

    private void Embed(int count, Func<Tensor> embed)
    {
        using var mark = _session.Mark();
        if (_values.Length == 0) _values = new float[_batch * _model.EmbeddingSize];
        _session.CopyOut(embed(), _values.AsSpan(0, count * _model.EmbeddingSize));
    }

    private void Append(int input, int row)
    {
        var values = _values.AsSpan(row * _model.EmbeddingSize, _model.EmbeddingSize);
        foreach (float value in values)
        {
            if (float.IsFinite(value)) continue;
            Refuse(input, "the model gave an embedding that is no finite numbers");
            return;
        }
        _output.Append(values);
    }

    private void Refuse(int input, string reason) => _output.Refuse(input, _inputs[input], reason);

    private void Commit(int before, int now, Action<int>? progress, CancellationToken cancellation)
    {
        progress?.Invoke(now);
        bool last = before + now == _count;
        if (!last && _sinceCommit.Elapsed < BetweenCommits && !cancellation.IsCancellationRequested) return;
        _output.Commit(before + now);
        _sinceCommit.Restart();
        if (!last) cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>What decides about the bits of the files.</summary>
    private Dictionary<string, string> Settings() => new(StringComparer.Ordinal)
    {
        ["input"] = _options.Texts ? "texts" : "pictures",
        ["inputs"] = string.Create(CultureInfo.InvariantCulture, $"{_inputs.Count}, SHA-256 {Fingerprint.Of(_inputs)}"),
        [ShardSetting] = string.Create(CultureInfo.InvariantCulture, $"{_options.Shard.Index} of {_options.Shard.Count}"),
        ["format"] = RowFile.Extension(_options.Format),
        ["dtype"] = _options.Half ? "f16" : "f32",
        ["orientation"] = _options.Orient ? "applied" : "as stored",
        ["model"] = _model.Description,
        ["model and instruction set"] = Fingerprint.Of(_model, _session, _options.Texts),
    };
}
