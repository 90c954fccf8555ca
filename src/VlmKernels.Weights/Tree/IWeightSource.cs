using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>Tensors under the names that a model asks for: a checkpoint behind a layout, or values made up for a plan or a benchmark.</summary>
public interface IWeightSource
{
    /// <summary>Where the tensors come from, for messages: a path.</summary>
    string Origin { get; }

    /// <summary>Every name there is; empty for a source that answers any name.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>True when the checkpoint holds an optional tensor; asking does not use it.</summary>
    bool Has(string name);

    /// <summary>Finds a tensor.</summary>
    /// <param name="name">Name that the model asks for.</param>
    /// <param name="expected">Shape that the model expects; a source without a file answers with it.</param>
    /// <returns>The tensor in whatever shape it has, or null.</returns>
    WeightView? Find(string name, Shape expected);

    /// <summary>The name that a tensor would have in the file, for messages about a missing one.</summary>
    string NameInFile(string name);
}
