using VlmKernels.Kernels;
using VlmKernels.Testing.OpTable;

namespace VlmKernels.Perf;

/// <summary>Something to time.</summary>
/// <param name="Name">Stable name.</param>
/// <param name="Batch">Pictures or texts; 0 for a single operation.</param>
/// <param name="Graphs">ONNX graphs that compute the same, by folder name.</param>
internal abstract record PerfCase(string Name, int Batch, params string[] Graphs)
{
    /// <summary>True where memory sets the pace: the read rate is measured again around the case.</summary>
    public virtual bool IsReading => false;

    /// <summary>Time to measure for, about.</summary>
    public virtual double Seconds => 1;

    /// <summary>Prepares the work on a backend.</summary>
    /// <param name="backend">Does the work.</param>
    /// <param name="threads">Threads of the backend; for work that starts one of its own.</param>
    public abstract PreparedCase Prepare(IBackend backend, int threads);
}

/// <summary>Work that is ready to run again and again.</summary>
/// <param name="run">One pass.</param>
/// <param name="cost">Arithmetic and traffic of a pass.</param>
/// <param name="owned">Disposed with it, last first.</param>
internal sealed class PreparedCase(Action run, Cost cost, params IDisposable[] owned) : IDisposable
{
    /// <summary>One pass.</summary>
    public Action Run => run;

    /// <summary>Arithmetic and traffic of a pass.</summary>
    public Cost Cost => cost;

    /// <inheritdoc/>
    public void Dispose()
    {
        for (int i = owned.Length - 1; i >= 0; i--) owned[i].Dispose();
    }
}

/// <summary>A row of the op table.</summary>
internal sealed record OpPerfCase(OpCase Case) : PerfCase(Case.Name, 0)
{
    /// <inheritdoc/>
    public override PreparedCase Prepare(IBackend backend, int threads)
    {
        var session = new Session(backend);
        var inputs = new OpInputs(Case, session, backend);
        return new PreparedCase(
            () =>
            {
                using var mark = session.Mark();
                Case.Enqueue(session, inputs);
            },
            Case.Cost, session, inputs);
    }
}
