namespace VlmKernels.Kernels.Cpu;

/// <summary>Work over rows that do not depend on each other.</summary>
internal interface IRowJob
{
    /// <summary>Computes rows <paramref name="first"/> up to, not including, <paramref name="end"/>.</summary>
    void Run(int first, int end);
}

/// <summary>Cuts rows into items for the workers. A row is never cut, so its bits depend neither on the cut nor on the threads.</summary>
internal static class RowJobs
{
    // Half a microsecond of work: well above the cost of handing an item out, and small enough for an even share.
    private const long ItemBytes = 32 << 10;

    /// <summary>Runs a job; one of less than two items' worth stays on the calling thread.</summary>
    /// <param name="q">The queue.</param>
    /// <param name="job">The job.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="bytesPerRow">Bytes that a row reads and writes.</param>
    public static void Run<TJob>(CpuQueue q, TJob job, int rows, long bytesPerRow) where TJob : unmanaged, IRowJob
    {
        long perRow = Math.Max(1, bytesPerRow);
        int perItem = rows * perRow < 2 * ItemBytes ? Math.Max(1, rows) : (int)((ItemBytes + perRow - 1) / perRow);
        var items = new Items<TJob> { Job = job, Rows = rows, PerItem = perItem };
        q.Workers.Run(ref items, (int)(((long)rows + perItem - 1) / perItem));
    }

    private struct Items<TJob> : IJob where TJob : unmanaged, IRowJob
    {
        public TJob Job;
        public int Rows, PerItem;

        public void Run(int item, int worker)
        {
            int first = item * PerItem;
            Job.Run(first, Math.Min(PerItem, Rows - first) + first);
        }
    }
}
