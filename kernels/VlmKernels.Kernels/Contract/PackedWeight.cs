namespace VlmKernels.Kernels;

/// <summary>What a weight matrix is for; a backend chooses its packed form by it.</summary>
public enum WeightUse : byte
{
    /// <summary>The matrix of <see cref="IOps.Linear"/>.</summary>
    Linear,
    /// <summary>The kernels of <see cref="IOps.Conv2d"/>.</summary>
    Conv,
    /// <summary>The kernels of <see cref="IOps.PatchEmbed"/>.</summary>
    Patch,
    /// <summary>Rows gathered by <see cref="IOps.Embed"/>.</summary>
    Table,
}

/// <summary>A weight in the form a backend likes: panels, tiles, later narrower types. A model never sees which.</summary>
public abstract class PackedWeight : IDisposable
{
    /// <summary>Makes the common part.</summary>
    protected PackedWeight(string key, WeightUse use, int outputs, int inputs, Tensor bias)
    {
        (Key, Use, Outputs, Inputs, Bias) = (key, use, outputs, inputs, bias);
    }

    /// <summary>Where it came from, for error texts: <c>vision_model.encoder.layers.3.mlp.fc1</c>.</summary>
    public string Key { get; }

    /// <summary>The operation that takes it.</summary>
    public WeightUse Use { get; }

    /// <summary>Rows of the matrix.</summary>
    public int Outputs { get; }

    /// <summary>Columns of the matrix; for kernels channels · side².</summary>
    public int Inputs { get; }

    /// <summary>[outputs] F, or none.</summary>
    public Tensor Bias { get; }

    /// <summary>Size in the backend's memory, the bias included.</summary>
    public abstract long Bytes { get; }

    /// <summary>Gives the memory back.</summary>
    public abstract void Dispose();
}

/// <summary>A matrix <c>[rows, columns]</c> that is read piece by piece while it is packed, so that no second copy of it ever exists.</summary>
public abstract class MatrixSource
{
    /// <summary>Rows: outputs of the weight.</summary>
    public abstract int Rows { get; }

    /// <summary>Columns: inputs of the weight; for kernels in the order channel, row, column.</summary>
    public abstract int Columns { get; }

    /// <summary>Reads <paramref name="count"/> whole rows from <paramref name="row"/> on into a span of count · columns values.</summary>
    public abstract void Read(int row, int count, Span<float> into);
}

/// <summary>A matrix in host memory.</summary>
/// <param name="values">Row by row, rows · columns values.</param>
/// <param name="rows">Rows.</param>
/// <param name="columns">Columns.</param>
public sealed class ArrayMatrix(float[] values, int rows, int columns) : MatrixSource
{
    /// <inheritdoc/>
    public override int Rows => rows;

    /// <inheritdoc/>
    public override int Columns => columns;

    /// <inheritdoc/>
    public override void Read(int row, int count, Span<float> into) => values.AsSpan(row * columns, count * columns).CopyTo(into);
}

/// <summary>What <see cref="IBackend.Pack"/> is asked for.</summary>
/// <param name="Key">Name for error texts.</param>
/// <param name="Use">The operation that will take the weight.</param>
/// <param name="Matrix">[outputs, inputs]; for kernels inputs = channels · Kernel², in the order of the file: channel, row, column.</param>
/// <param name="Bias">[outputs], or null.</param>
/// <param name="Kernel">Side of a convolution or patch kernel; 1 for the other uses.</param>
public readonly record struct PackRequest(string Key, WeightUse Use, MatrixSource Matrix, float[]? Bias = null, int Kernel = 1)
{
    /// <summary>Input channels: columns / Kernel².</summary>
    public int Channels => Matrix.Columns / (Kernel * Kernel);

    /// <summary>Checks that the parts fit each other; every backend calls it first.</summary>
    /// <exception cref="ContractException">The bias or the kernel does not fit the matrix.</exception>
    public void Check()
    {
        if (Bias is { } b && b.Length != Matrix.Rows) throw new ContractException($"Pack: the bias of {Key} must have {Matrix.Rows} values, found {b.Length}");
        if (Bias is not null && Use == WeightUse.Table) throw new ContractException($"Pack: {Key} is a table, which takes no bias");
        if (Kernel <= 0 || Matrix.Columns % (Kernel * Kernel) != 0) throw new ContractException($"Pack: a kernel of side {Kernel} does not divide the {Matrix.Columns} columns of {Key}");
    }
}
