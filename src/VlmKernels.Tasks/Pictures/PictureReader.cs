using System.Diagnostics;
using System.Runtime.ExceptionServices;
using VlmKernels.Inputs;

namespace VlmKernels.Tasks;

/// <summary>Where the time of reading and embedding pictures went, in seconds.</summary>
/// <param name="Decode">Reading and decoding files, summed over the threads that do it.</param>
/// <param name="Prepare">Resizing and cropping, summed over the same threads.</param>
/// <param name="Caller">What the caller spent on its batches: the model.</param>
/// <param name="Waiting">What the caller waited for pictures.</param>
public readonly record struct PictureTimes(double Decode, double Prepare, double Caller, double Waiting);

/// <summary>
/// Reads a list of pictures on threads of its own while the caller works on those before them. Batches come in the order of the list and hold the
/// same pixels whatever the number of threads; only <see cref="BatchesInFlight"/> of them are in memory.
/// </summary>
public sealed class PictureReader : IDisposable
{
    // One in the caller's hands, one finished, one being read.
    private const int BatchesInFlight = 3;

    private readonly IPicturePreparer _model;
    private readonly Func<int, DecodeOptions, NativeImage> _decode;
    private readonly DecodeOptions _options;
    private readonly int _count, _most;
    private readonly PictureBatch[] _ring;
    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private int _next, _released;
    private bool _stopped;
    private ExceptionDispatchInfo? _fault;
    private long _decodeTicks, _prepareTicks, _callerTicks, _waitingTicks;

    /// <summary>Starts to read.</summary>
    /// <param name="model">Prepares the pictures.</param>
    /// <param name="count">Pictures in the list.</param>
    /// <param name="decode">Decodes the picture at a place in the list; called on several threads.</param>
    /// <param name="most">Pictures of a batch; the last may have fewer.</param>
    /// <param name="orient">Whether photos are turned as their EXIF orientation says.</param>
    /// <param name="threads">Threads that read; 0: <see cref="DefaultThreads"/>.</param>
    /// <exception cref="InvalidOperationException">The model takes no pictures.</exception>
    public PictureReader(IPicturePreparer model, int count, Func<int, DecodeOptions, NativeImage> decode, int most, bool orient = true, int threads = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        (_model, _count, _decode, _most) = (model, count, decode, Math.Min(most, Math.Max(count, 1)));
        _options = model.DecodeOptions(orient);
        int batches = (int)Math.Min(BatchesInFlight, ((long)count + _most - 1) / _most);
        _ring = [.. Enumerable.Range(0, batches).Select(_ => new PictureBatch(_most, model.PixelBytes))];
        for (int i = 0; i < batches; i++) Start(i);
        _threads = [.. Enumerable.Range(1, Math.Min(threads == 0 ? DefaultThreads : threads, count)).Select(i => new Thread(Work) { IsBackground = true, Name = $"vlm reader {i}" })];
        foreach (var thread in _threads) thread.Start();
    }

    /// <summary>Threads that read by default: one per core. While the model lags behind they sleep; while it waits, cores that nobody reads on stand idle.</summary>
    public static int DefaultThreads => Environment.ProcessorCount;

    /// <summary>Where the time went so far.</summary>
    public PictureTimes Times => new(Seconds(ref _decodeTicks), Seconds(ref _prepareTicks), Seconds(ref _callerTicks), Seconds(ref _waitingTicks));

    /// <summary>Reads picture files.</summary>
    /// <param name="model">Prepares the pictures.</param>
    /// <param name="files">Their paths.</param>
    /// <param name="most">Pictures of a batch.</param>
    /// <param name="orient">Whether photos are turned as their EXIF orientation says.</param>
    /// <param name="threads">Threads that read; 0: <see cref="DefaultThreads"/>.</param>
    public static PictureReader OfFiles(IPicturePreparer model, IReadOnlyList<string> files, int most, bool orient = true, int threads = 0)
    {
        var decoder = new SkiaImageDecoder();
        return new PictureReader(model, files.Count, (i, options) => decoder.DecodeNativeFile(files[i], options), most, orient, threads);
    }

    /// <summary>All pictures, batch by batch, in order; once.</summary>
    /// <param name="cancellation">Ends the wait for pictures.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IEnumerable<PictureBatch> Batches(CancellationToken cancellation = default)
    {
        using var wake = cancellation.Register(() => { lock (_gate) Monitor.PulseAll(_gate); });
        for (int b = 0; (long)b * _most < _count; b++)
        {
            long asked = Stopwatch.GetTimestamp();
            var batch = Await(b, cancellation);
            long given = Stopwatch.GetTimestamp();
            yield return batch;
            _waitingTicks += given - asked;
            _callerTicks += Stopwatch.GetTimestamp() - given;
            Release();
        }
    }

    /// <summary>Stops reading.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
        foreach (var thread in _threads) thread.Join();
    }

    private static double Seconds(ref long ticks) => Interlocked.Read(ref ticks) / (double)Stopwatch.Frequency;

    private PictureBatch Await(int number, CancellationToken cancellation)
    {
        var batch = _ring[number % _ring.Length];
        lock (_gate)
        {
            while (batch.Pending > 0 && _fault is null && !cancellation.IsCancellationRequested) Monitor.Wait(_gate);
        }
        cancellation.ThrowIfCancellationRequested();
        _fault?.Throw();
        batch.Close();
        return batch;
    }

    private void Release()
    {
        lock (_gate)
        {
            if ((long)(_released + _ring.Length) * _most < _count) Start(_released + _ring.Length);
            _released++;
            Monitor.PulseAll(_gate);
        }
    }

    private void Start(int number) => _ring[number % _ring.Length].Start(number * _most, Math.Min(_most, _count - (number * _most)));

    private void Work()
    {
        while (Take() is { } index)
        {
            var batch = _ring[index / _most % _ring.Length];
            try
            {
                Read(index, batch);
            }
            catch (Exception e) when (e is ImageFormatException or IOException or UnauthorizedAccessException or ArgumentException)
            {
                batch.Refuse(index, e.Message);
            }
            catch (Exception e)
            {
                // A fault of the program or the machine: it belongs to whoever asks for the batches.
                lock (_gate) _fault ??= ExceptionDispatchInfo.Capture(e);
            }
            lock (_gate)
            {
                if (--batch.Pending == 0 || _fault is not null) Monitor.PulseAll(_gate);
            }
        }
    }

    private int? Take()
    {
        lock (_gate)
        {
            while (!_stopped && _next < _count && _next / _most >= _released + _ring.Length) Monitor.Wait(_gate);
            return _stopped || _fault is not null || _next >= _count ? null : _next++;
        }
    }

    private void Read(int index, PictureBatch batch)
    {
        long start = Stopwatch.GetTimestamp();
        NativeImage image;
        try
        {
            image = _decode(index, _options);
        }
        finally
        {
            Interlocked.Add(ref _decodeTicks, Stopwatch.GetTimestamp() - start);
        }
        start = Stopwatch.GetTimestamp();
        _model.Prepare(image, batch.Room(index));
        Interlocked.Add(ref _prepareTicks, Stopwatch.GetTimestamp() - start);
    }
}
