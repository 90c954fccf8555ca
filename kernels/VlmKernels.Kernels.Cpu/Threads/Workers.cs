namespace VlmKernels.Kernels.Cpu;

/// <summary>Work cut into items, each a block of output elements that no other item touches.</summary>
internal interface IJob
{
    /// <summary>Computes one item.</summary>
    /// <param name="item">Number of the item.</param>
    /// <param name="worker">Number of the thread that runs it, below <see cref="Workers.Count"/>: selects scratch memory.</param>
    void Run(int item, int worker);
}

/// <summary>
/// The threads of one backend. The caller works too; the others spin briefly for the next job and then sleep. A job is a struct of
/// pointers and numbers, so that starting one allocates nothing. Jobs of different queues run one after another.
/// </summary>
internal sealed unsafe class Workers : IDisposable
{
    // Two jobs of one pass follow each other within microseconds; a longer gap means that the host does something else.
    private const int SpinsBeforeSleep = 2000;

    private readonly Lock _gate = new();
    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly bool[] _asleep;
    private delegate*<void*, int, int, void> _run;
    private void* _job;
    private int _items;
    private int _next;
    private int _joined;
    private int _open;
    private volatile int _ticket;
    private volatile bool _stop;

    public Workers(int count)
    {
        Count = count;
        _threads = new Thread[count - 1];
        _wake = new SemaphoreSlim[count - 1];
        _asleep = new bool[count - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _wake[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"vlm worker {worker}" };
            _threads[i].Start();
        }
    }

    /// <summary>Threads that work on a job, the caller included.</summary>
    public int Count { get; }

    /// <summary>Runs all items of a job and returns after the last.</summary>
    public void Run<TJob>(ref TJob job, int items) where TJob : unmanaged, IJob
    {
        if (items <= 0) return;
        fixed (TJob* p = &job)
        {
            lock (_gate) Share(p, &Invoke<TJob>, items);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            if (_stop) return;
            _stop = true;
            _ticket++;
            foreach (var wake in _wake) wake.Release();
        }
        foreach (var thread in _threads) thread.Join();
        foreach (var wake in _wake) wake.Dispose();
    }

    private static void Invoke<TJob>(void* job, int item, int worker) where TJob : unmanaged, IJob => ((TJob*)job)->Run(item, worker);

    private void Share(void* job, delegate*<void*, int, int, void> run, int items)
    {
        if (Count == 1 || items == 1)
        {
            for (int i = 0; i < items; i++) run(job, i, 0);
            return;
        }
        _job = job;
        _run = run;
        _items = items;
        _next = 0;
        Volatile.Write(ref _open, 1);
        _ticket++;
        Wake();
        Work(0);
        // Whoever has joined finishes its item; whoever was asleep or not scheduled finds the job closed and is not waited for. Both sides
        // write, then fence, then read, so one of them always sees the other.
        Interlocked.Exchange(ref _open, 0);
        var spin = default(SpinWait);
        while (Volatile.Read(ref _joined) != 0) spin.SpinOnce(sleep1Threshold: -1);
    }

    private void Wake()
    {
        // Pairs with the fence between "asleep" and the re-check of the ticket in Wait: one side always sees the other.
        Interlocked.MemoryBarrier();
        for (int i = 0; i < _asleep.Length; i++)
        {
            if (Volatile.Read(ref _asleep[i])) _wake[i].Release();
        }
    }

    private void Work(int worker)
    {
        while (true)
        {
            int item = Interlocked.Increment(ref _next) - 1;
            if (item >= _items) return;
            _run(_job, item, worker);
        }
    }

    private void Loop(int worker)
    {
        int seen = 0;
        while (true)
        {
            Wait(worker - 1, seen);
            seen = _ticket;
            if (_stop) return;
            Interlocked.Increment(ref _joined);
            if (Volatile.Read(ref _open) == 1) Work(worker);
            Interlocked.Decrement(ref _joined);
        }
    }

    private void Wait(int index, int seen)
    {
        for (int i = 0; i < SpinsBeforeSleep; i++)
        {
            if (_ticket != seen) return;
            Thread.SpinWait(8);
        }
        while (_ticket == seen)
        {
            Volatile.Write(ref _asleep[index], true);
            Interlocked.MemoryBarrier();
            if (_ticket == seen) _wake[index].Wait();
            Volatile.Write(ref _asleep[index], false);
        }
    }
}
