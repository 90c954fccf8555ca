using System.Diagnostics;
using VlmKernels.Kernels;

namespace VlmKernels.Perf;

/// <summary>Times and costs of operations, summed by name.</summary>
internal sealed class Profile
{
    private readonly Dictionary<(string Op, string Shape), Entry> _entries = [];

    /// <summary>What was timed, in the order of the first call.</summary>
    public IEnumerable<((string Op, string Shape) Key, Entry Entry)> Entries => _entries.Select(e => (e.Key, e.Value));

    /// <summary>Whether operations are counted.</summary>
    public bool IsOn { get; set; }

    /// <summary>Times an operation until the result is disposed.</summary>
    public Timer Time(string op, string shape, Cost cost)
    {
        if (!IsOn) return new Timer(new Entry());
        if (!_entries.TryGetValue((op, shape), out var entry)) _entries.Add((op, shape), entry = new Entry());
        entry.Calls++;
        entry.Cost += cost;
        return new Timer(entry);
    }

    /// <summary>One operation at one shape.</summary>
    internal sealed class Entry
    {
        /// <summary>Number of calls.</summary>
        public int Calls { get; set; }

        /// <summary>Ticks of the stopwatch of all calls.</summary>
        public long Ticks { get; set; }

        /// <summary>Arithmetic and traffic of all calls.</summary>
        public Cost Cost { get; set; }
    }

    /// <summary>A running clock.</summary>
    internal readonly struct Timer(Entry entry) : IDisposable
    {
        private readonly long _start = Stopwatch.GetTimestamp();

        /// <inheritdoc/>
        public void Dispose() => entry.Ticks += Stopwatch.GetTimestamp() - _start;
    }
}
