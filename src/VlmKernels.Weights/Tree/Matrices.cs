using VlmKernels.Kernels;

namespace VlmKernels.Weights;

/// <summary>A matrix source whose values lie in a mapped file, which may let their pages go once they are packed.</summary>
internal interface IReleasable
{
    void Release();
}

/// <summary>A tensor of a checkpoint, flattened to a matrix.</summary>
internal sealed class ViewMatrix(WeightView view, int rows, int columns) : MatrixSource, IReleasable
{
    public override int Rows => rows;

    public override int Columns => columns;

    public override void Read(int row, int count, Span<float> into) => view.Read((long)row * columns, into[..(count * columns)]);

    public void Release() => view.Release();
}

/// <summary>Stands in for a tensor while a checkpoint is only checked: zeros.</summary>
internal sealed class PlaceholderMatrix(int rows, int columns) : MatrixSource
{
    public override int Rows => rows;

    public override int Columns => columns;

    public override void Read(int row, int count, Span<float> into) => into[..(count * columns)].Clear();
}

/// <summary>Matrices of equal width below each other: query, key and value as one product. Nothing is copied before the stack is packed.</summary>
public sealed class StackedMatrix : MatrixSource, IReleasable
{
    private readonly MatrixSource[] _parts;

    /// <summary>Stacks matrices, the first on top.</summary>
    /// <exception cref="ContractException">Their widths differ.</exception>
    public StackedMatrix(params ReadOnlySpan<MatrixSource> parts)
    {
        _parts = parts.ToArray();
        foreach (var part in _parts)
        {
            if (part.Columns != _parts[0].Columns) throw new ContractException($"Stack: a matrix of {part.Columns} columns below one of {_parts[0].Columns}");
            Rows += part.Rows;
        }
    }

    /// <inheritdoc/>
    public override int Rows { get; }

    /// <inheritdoc/>
    public override int Columns => _parts[0].Columns;

    /// <inheritdoc/>
    public override void Read(int row, int count, Span<float> into)
    {
        foreach (var part in _parts)
        {
            if (count == 0) return;
            if (row < part.Rows)
            {
                int here = Math.Min(count, part.Rows - row);
                part.Read(row, here, into[..(here * Columns)]);
                into = into[(here * Columns)..];
                (row, count) = (part.Rows, count - here);
            }
            row -= part.Rows;
        }
    }

    void IReleasable.Release()
    {
        foreach (var part in _parts) (part as IReleasable)?.Release();
    }
}

/// <summary>A matrix whose rows are multiplied by factors, in double: what follows a product channel by channel is folded into its weight this way.</summary>
/// <param name="source">The matrix.</param>
/// <param name="factors">One factor per row.</param>
public sealed class ScaledMatrix(MatrixSource source, double[] factors) : MatrixSource, IReleasable
{
    /// <inheritdoc/>
    public override int Rows => source.Rows;

    /// <inheritdoc/>
    public override int Columns => source.Columns;

    /// <inheritdoc/>
    public override void Read(int row, int count, Span<float> into)
    {
        source.Read(row, count, into);
        for (int r = 0; r < count; r++)
        {
            foreach (ref float value in into.Slice(r * Columns, Columns)) value = (float)(value * factors[row + r]);
        }
    }

    void IReleasable.Release() => (source as IReleasable)?.Release();
}
