using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>
/// A place in the tree of a checkpoint's names: <c>weights["vision_model"]["encoder"]["layers"][3]</c> reads like the file.
/// What does not fit is collected and reported for all tensors at once, see <see cref="WeightLoader"/>.
/// </summary>
public sealed class WeightNode
{
    private readonly WeightReader _reader;

    internal WeightNode(WeightReader reader, string path) => (_reader, Path) = (reader, path);

    /// <summary>Names from the root to here, joined by dots; empty at the root.</summary>
    public string Path { get; }

    /// <summary>The node below this one.</summary>
    public WeightNode this[string name] => new(_reader, Join(name));

    /// <summary>The node of a layer.</summary>
    public WeightNode this[int index] => new(_reader, Join($"{index}"));

    /// <summary>True when the checkpoint holds the tensor; asking does not use it. Sources without a file hold no optional tensors.</summary>
    public bool Has(string name) => _reader.Has(Join(name));

    /// <summary>Extent of a tensor's first axis as stored, for tables that may be resampled; <paramref name="otherwise"/> when there is none.</summary>
    public int Rows(string name, int otherwise) => _reader.Rows(Join(name), otherwise);

    /// <summary>A matrix [rows, columns], read while it is packed. A 1×1 convolution's kernel is one too.</summary>
    public MatrixSource Matrix(string name, int rows, int columns) => _reader.Matrix(Join(name), new Shape(rows, columns));

    /// <summary>Kernels [outputs, channels, side, side] as a matrix [outputs, channels · side²], read while they are packed.</summary>
    public MatrixSource Kernel(string name, int outputs, int channels, int side) => _reader.Matrix(Join(name), new Shape(outputs, channels, side, side));

    /// <summary>A vector on the device, F [length].</summary>
    public Tensor Vector(string name, int length) => Upload(Values(name, length), new Shape(length));

    /// <summary>A vector on the host: biases, what is folded.</summary>
    public float[] Values(string name, int length) => _reader.Values(Join(name), new Shape(length), isBuffer: false);

    /// <summary>A table [rows, columns] on the host, row by row.</summary>
    public float[] Values(string name, int rows, int columns) => _reader.Values(Join(name), new Shape(rows, columns), isBuffer: false);

    /// <summary>A vector on the host that is no parameter, such as the statistics of a batch normalisation.</summary>
    public float[] Buffer(string name, int length) => _reader.Values(Join(name), new Shape(length), isBuffer: true);

    /// <summary>A single finite value, stored as [] or [1].</summary>
    /// <param name="name">Its name.</param>
    /// <param name="most">Largest absolute value allowed.</param>
    /// <exception cref="WeightFileException">The value is not finite or too large.</exception>
    public float Scalar(string name, float most = float.MaxValue) => _reader.Scalar(Join(name), most);

    /// <summary>True while weights are only checked or counted: values read are placeholders, and work on them would be wasted.</summary>
    public bool ChecksOnly => _reader.ChecksOnly;

    /// <summary>Values computed at load as a tensor F on the device, which lives as long as the model.</summary>
    public Tensor Upload(ReadOnlySpan<float> values, Shape shape) => _reader.Upload(values, shape);

    /// <summary>Packs a weight, which lives as long as the model, and lets the source's pages go.</summary>
    /// <param name="use">The operation that takes it.</param>
    /// <param name="matrix">[outputs, inputs].</param>
    /// <param name="bias">[outputs], or null.</param>
    /// <param name="kernel">Side of a convolution or patch kernel.</param>
    public PackedWeight Pack(WeightUse use, MatrixSource matrix, float[]? bias, int kernel = 1) => _reader.Pack(new PackRequest(Path, use, matrix, bias, kernel));

    private string Join(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
