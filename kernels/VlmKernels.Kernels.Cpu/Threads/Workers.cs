using System.Runtime.InteropServices;

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
/// Every thread begins with a run of neighbouring items of its own, the same share of each job, so that it meets again what it has in its caches;
/// a thread that is done takes items from the others.
/// </summary>
internal sealed unsafe class Workers : IDisposable
{
    // Two jobs of one pass follow each other within microseconds; a longer gap means that the host does something else.
    private const int SpinsBeforeSleep = 2000;

    private readonly Lock _gate = new();
    private readonly Thread[] _threads;
    private readonly Placement _placement;
    private readonly SemaphoreSlim[] _wake;
    private readonly bool[] _asleep;
    private delegate*<void*, int, int, void> _run;
    private void* _job;
    private readonly Share[] _shares;
    private int _joined;
    private int _open;
    private volatile int _ticket;
    private volatile bool _stop;

    public Workers(int count)
    {
        Count = count;
        _threads = new Thread[count - 1];
        _placement = new Placement(count - 1);
        _wake = new SemaphoreSlim[count - 1];
        _asleep = new bool[count - 1];
        _shares = new Share[count];
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
            lock (_gate) Start(p, &Invoke<TJob>, items);
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

    private void Start(void* job, delegate*<void*, int, int, void> run, int items)
    {
        if (Count == 1 || items == 1)
        {
            for (int i = 0; i < items; i++) run(job, i, 0);
            return;
        }
        _job = job;
        _run = run;
        for (int i = 0; i < Count; i++) _shares[i] = new Share { Next = (int)((long)items * i / Count), End = (int)((long)items * (i + 1) / Count) };
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
            if (!Volatile.Read(ref _asleep[i])) continue;
            _placement.KeepAway(i);
            _wake[i].Release();
        }
    }

    private void Work(int worker)
    {
        for (int i = 0; i < Count; i++)
        {
            ref var share = ref _shares[(worker + i) % Count];
            while (Volatile.Read(ref share.Next) < share.End)
            {
                int item = Interlocked.Increment(ref share.Next) - 1;
                if (item < share.End) _run(_job, item, worker);
            }
        }
    }

    private void Loop(int worker)
    {
        int seen = 0;
        _placement.Register(worker - 1);
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
            if (_ticket == seen)
            {
                _wake[index].Wait();
                _placement.Release(index);
            }
            Volatile.Write(ref _asleep[index], false);
        }
    }

    /// <summary>The items that one thread begins with, alone on its cache lines (the processor fetches them in pairs).</summary>
    [StructLayout(LayoutKind.Explicit, Size = 128)]
    private struct Share
    {
        [FieldOffset(0)] public int Next;
        [FieldOffset(4)] public int End;
    }
}
