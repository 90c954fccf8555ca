using System.Buffers;
using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>A tensor of the result: its name there, its type there, and where its elements come from.</summary>
internal sealed class PlannedTensor(string name, WeightView source, FileDType dtype)
{
    /// <summary>Elements that are read at a time.</summary>
    public const int Piece = 1 << 18;

    private const long KeptResident = 1 << 26;

    public string Name { get; } = name;

    public WeightView Source { get; } = source;

    public FileDType DType { get; } = dtype;

    public long ByteLength { get; } = source.Count * dtype.Size();

    /// <summary>Finite values that have become infinite so far.</summary>
    public long Overflows { get; private set; }

    /// <summary>Its description for the writer.</summary>
    /// <param name="written">Called with the number of bytes after every piece; may throw to stop.</param>
    public TensorSource ToSource(Action<int> written) => new(Name, DType, Source.Shape, stream =>
    {
        int size = DType.Size();
        byte[] bytes = new byte[(int)Math.Min(Source.Count, Piece) * size];
        long resident = 0;
        for (long first = 0; first < Source.Count; first += Piece)
        {
            Span<byte> piece = bytes.AsSpan(0, (int)Math.Min(Piece, Source.Count - first) * size);
            Read(first, piece);
            stream.Write(piece);
            written(piece.Length);
            if ((resident += piece.Length) < KeptResident) continue;
            Source.Release();
            resident = 0;
        }
        Source.Release();
    });

    /// <summary>Reads elements as they are written.</summary>
    private void Read(long first, Span<byte> into)
    {
        if (DType == Source.DType)
        {
            Source.ReadStored(first, into);
            return;
        }
        int count = into.Length / DType.Size();
        float[] values = ArrayPool<float>.Shared.Rent(count);
        Source.Read(first, values.AsSpan(0, count));
        Overflows += Rounding.Encode(DType, values.AsSpan(0, count), into);
        ArrayPool<float>.Shared.Return(values);
    }
}
