using System.Globalization;

namespace VlmKernels.Tasks;

/// <summary>
/// A contiguous part of a list: shards in order, one behind the other, are the list. Sizes differ by one at most.
/// </summary>
/// <param name="Index">Number of the shard, from 0.</param>
/// <param name="Count">Number of shards.</param>
public readonly record struct Shard(int Index, int Count)
{
    // Slurm job arrays count from any number in steps of any size; Kubernetes Indexed Jobs from 0.
    private const string SlurmTask = "SLURM_ARRAY_TASK_ID", SlurmFirst = "SLURM_ARRAY_TASK_MIN", SlurmStep = "SLURM_ARRAY_TASK_STEP", Kubernetes = "JOB_COMPLETION_INDEX";

    /// <summary>The whole list.</summary>
    public static Shard Whole => new(0, 1);

    /// <summary>Checks a shard that somebody asked for.</summary>
    /// <param name="index">Number of the shard; null: what the environment of a Slurm array task or a Kubernetes Indexed Job says.</param>
    /// <param name="count">Number of shards; null: no shards.</param>
    /// <exception cref="ArgumentException">There is no such shard, or nothing tells its number.</exception>
    public static Shard Choose(int? index, int? count)
    {
        if (count is not { } shards) return index is null ? Whole : throw new ArgumentException("--shard needs --shards, the number of shards");
        if (shards < 1) throw new ArgumentException($"--shards: expected at least 1, found {shards}");
        int shard = index ?? FromEnvironment() ?? throw new ArgumentException($"--shards {shards} needs --shard, or one of the variables {SlurmTask} and {Kubernetes}");
        if (shard < 0 || shard >= shards) throw new ArgumentException($"--shard: expected 0 to {shards - 1}, found {shard}{(index is null ? " in the environment" : "")}");
        return new Shard(shard, shards);
    }

    /// <summary>The shard's part of a list.</summary>
    public (int First, int Length) Of(int items)
    {
        int first = (int)((long)items * Index / Count), end = (int)((long)items * (Index + 1) / Count);
        return (first, end - first);
    }

    private static int? FromEnvironment() => Variable(SlurmTask) is { } task ? (task - (Variable(SlurmFirst) ?? 0)) / Math.Max(1, Variable(SlurmStep) ?? 1) : Variable(Kubernetes);

    private static int? Variable(string name)
    {
        if (Environment.GetEnvironmentVariable(name) is not { Length: > 0 } text) return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : throw new ArgumentException($"{name}: expected a whole number, found {text}");
    }
}
