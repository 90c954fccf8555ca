using VlmKernels.Kernels;
using VlmKernels.Weights;

namespace VlmKernels.Tasks.Verification;

/// <summary>Answers any name with zeros and remembers what a model asked for, in its order.</summary>
internal sealed class NameRecorder : IWeightSource
{
    private readonly PlannedWeights _zeros = new();
    private readonly List<string> _asked = [];

    public string Origin => _zeros.Origin;

    public IReadOnlyCollection<string> Names => [];

    /// <summary>The names of the tensors that a model's constructor asks for.</summary>
    public static IReadOnlyList<string> Of<T>(Func<WeightNode, T> build) where T : class
    {
        var recorder = new NameRecorder();
        WeightLoader.Check(recorder, build);
        return recorder._asked;
    }

    public bool Has(string name) => false;

    public WeightView? Find(string name, Shape expected)
    {
        if (!_asked.Contains(name)) _asked.Add(name);
        return _zeros.Find(name, expected);
    }

    public string NameInFile(string name) => name;
}
