using Microsoft.ML.OnnxRuntime;

namespace VlmKernels.Perf;

/// <summary>ONNX Runtime on one graph, with all its optimisations and as many threads as we use.</summary>
internal sealed class OrtPeer : IDisposable
{
    private readonly SessionOptions _options;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtValue _input;
    private readonly string[] _inputs, _outputs;

    /// <summary>Opens a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="threads">Threads inside an operation.</param>
    /// <param name="batch">Pictures or texts.</param>
    public OrtPeer(PeerGraph graph, int threads, int batch)
    {
        Name = graph.Name;
        _options = new SessionOptions
        {
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        _session = new InferenceSession(graph.Prepare(), _options);
        _inputs = [.. _session.InputMetadata.Keys];
        _outputs = [.. _session.OutputMetadata.Keys];
        _input = MakeInput(_session.InputMetadata[_inputs[0]], batch);
    }

    /// <summary>Name of the graph.</summary>
    public string Name { get; }

    /// <summary>One pass.</summary>
    public void Run()
    {
        using var results = _session.Run(_run, _inputs, [_input], _outputs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _input.Dispose();
        _run.Dispose();
        _session.Dispose();
        _options.Dispose();
    }

    private static OrtValue MakeInput(NodeMetadata input, int batch)
    {
        long[] shape = [.. input.Dimensions.Select(d => (long)(d < 0 ? batch : d))];
        int count = (int)shape.Aggregate(1L, (a, d) => a * d);
        var random = new Random(7);
        if (input.ElementType == typeof(float)) return OrtValue.CreateTensorValueFromMemory(Enumerable.Range(0, count).Select(_ => (float)((random.NextDouble() * 4) - 2)).ToArray(), shape);
        // Token ids: any words, then the end token in the last place.
        long[] ids = [.. Enumerable.Range(0, count).Select(i => (i + 1) % shape[^1] == 0 ? 49407L : random.Next(1, 49000))];
        return OrtValue.CreateTensorValueFromMemory(ids, shape);
    }
}
