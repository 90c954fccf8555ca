using VlmKernels.Kernels;

namespace VlmKernels.Tasks.Verification;

/// <summary>A dense tensor on the host.</summary>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="Values">Values in row-major order.</param>
public sealed record HostTensor(int[] Shape, float[] Values)
{
    /// <summary>Copies a tensor of a session to the host.</summary>
    public static HostTensor CopyOf(Session session, Tensor tensor)
    {
        var shape = new int[tensor.Shape.Rank];
        for (int i = 0; i < shape.Length; i++) shape[i] = tensor.Shape[i];
        var values = new float[tensor.Shape.Count];
        if (tensor.Type == DType.F32)
        {
            session.CopyOut<float>(tensor, values);
            return new HostTensor(shape, values);
        }
        if (tensor.Type == DType.I32)
        {
            var integers = new int[values.Length];
            session.CopyOut<int>(tensor, integers);
            return new HostTensor(shape, Array.ConvertAll(integers, v => (float)v));
        }
        var bytes = new byte[values.Length];
        session.CopyOut<byte>(tensor, bytes);
        return new HostTensor(shape, Array.ConvertAll(bytes, v => (float)v));
    }

    /// <summary>[b, h, w, c] as [b, c, h, w], the order of the references' feature maps.</summary>
    public HostTensor ChannelsFirst() => Permute(Shape[0], Shape[1] * Shape[2], Shape[3], [Shape[0], Shape[3], Shape[1], Shape[2]]);

    /// <summary>[b, c, h, w] as [b, h, w, c], the order of pictures and feature maps here.</summary>
    public HostTensor ChannelsLast() => Permute(Shape[0], Shape[1], Shape[2] * Shape[3], [Shape[0], Shape[2], Shape[3], Shape[1]]);

    /// <summary>This − other, element by element; rows of a smaller other repeat.</summary>
    public HostTensor Minus(HostTensor other)
    {
        var difference = new float[Values.Length];
        for (int i = 0; i < difference.Length; i++) difference[i] = Values[i] - other.Values[i % other.Values.Length];
        return new HostTensor(Shape, difference);
    }

    /// <summary>[b, n, c] without the first tokens, as a map [b, height, width, c].</summary>
    public HostTensor MapBehind(int first, int height, int width)
    {
        int batch = Shape[0], tokens = Shape[1], columns = Shape[2], kept = height * width * columns;
        var values = new float[batch * kept];
        for (int b = 0; b < batch; b++) Values.AsSpan(((b * tokens) + first) * columns, kept).CopyTo(values.AsSpan(b * kept));
        return new HostTensor([batch, height, width, columns], values);
    }

    /// <summary>For every row of the last axis the index of its first maximum.</summary>
    public HostTensor ArgMax()
    {
        int columns = Shape[^1];
        var indices = new float[Values.Length / columns];
        for (int row = 0; row < indices.Length; row++)
        {
            var values = Values.AsSpan(row * columns, columns);
            int best = 0;
            for (int i = 1; i < columns; i++) best = values[i] > values[best] ? i : best;
            indices[row] = best;
        }
        return new HostTensor(Shape[..^1], indices);
    }

    /// <summary>For every row of the last axis its indices, largest value first.</summary>
    public HostTensor Ranking()
    {
        int columns = Shape[^1];
        var indices = new float[Values.Length];
        for (int row = 0; row < Values.Length; row += columns)
        {
            int start = row;
            int[] order = [.. Enumerable.Range(0, columns).OrderByDescending(i => Values[start + i])];
            for (int i = 0; i < columns; i++) indices[row + i] = order[i];
        }
        return new HostTensor(Shape, indices);
    }

    /// <summary>Swaps the two inner axes of [b, m, n].</summary>
    private HostTensor Permute(int batch, int m, int n, int[] shape)
    {
        var values = new float[Values.Length];
        for (int b = 0; b < batch; b++)
        {
            int at = b * m * n;
            for (int i = 0; i < m; i++)
            {
                for (int j = 0; j < n; j++) values[at + (j * m) + i] = Values[at + (i * n) + j];
            }
        }
        return new HostTensor(shape, values);
    }
}
