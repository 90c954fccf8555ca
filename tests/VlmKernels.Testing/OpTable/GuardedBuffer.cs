using System.Runtime.InteropServices;
using VlmKernels.Kernels;

namespace VlmKernels.Testing.OpTable;

/// <summary>A tensor in a block of its own with guard values before, behind and, with a gap, between its rows.</summary>
internal abstract class GuardedBuffer(Tensor whole, Tensor view)
{
    /// <summary>The block as one row.</summary>
    protected Tensor Whole => whole;

    /// <summary>The tensor; its base is aligned to 256 bytes unless there is a gap.</summary>
    public Tensor View => view;

    /// <summary>True when guards, and values that are no result, are what they were.</summary>
    public abstract bool IsUndisturbed(Session session);
}

/// <summary>The buffer of one element type.</summary>
internal sealed class GuardedBuffer<T> : GuardedBuffer where T : unmanaged
{
    private const int Margin = 256;

    private readonly T _guard;
    private readonly bool _written;
    private readonly Func<T[]> _values;

    public GuardedBuffer(IBackend backend, Shape shape, DType type, Gap gap, T guard, bool written, Func<T[]> values)
        : this(Lay(backend, shape, type, gap), guard, written, values) { }

    private GuardedBuffer((Tensor Whole, Tensor View) laid, T guard, bool written, Func<T[]> values) : base(laid.Whole, laid.View)
    {
        (_guard, _written, _values) = (guard, written, values);
    }

    public void Fill(Session session) => session.CopyIn<T>(Content(), Whole);

    public override bool IsUndisturbed(Session session)
    {
        T[] expected = Content(), found = new T[expected.Length];
        session.CopyOut(Whole, found.AsSpan());
        if (_written) ForEachRow((_, at) => found.AsSpan(at, View.Columns).CopyTo(expected.AsSpan(at)));
        return MemoryMarshal.AsBytes(found.AsSpan()).SequenceEqual(MemoryMarshal.AsBytes(expected.AsSpan()));
    }

    private T[] Content()
    {
        T[] content = new T[Whole.Columns], values = _values();
        content.AsSpan().Fill(_guard);
        ForEachRow((row, at) => values.AsSpan(row * View.Columns, View.Columns).CopyTo(content.AsSpan(at)));
        return content;
    }

    private void ForEachRow(Action<int, int> action)
    {
        int first = (int)(View.Offset / View.Type.Size());
        for (int row = 0; row < View.Rows; row++) action(row, first + (row * View.Pitch));
    }

    private static (Tensor Whole, Tensor View) Lay(IBackend backend, Shape shape, DType type, Gap gap)
    {
        int pitch = gap.Before + shape.Columns + gap.After, count = checked((2 * Margin) + (shape.Rows * pitch));
        var storage = backend.Allocate((long)count * type.Size());
        var view = new Tensor(storage, (long)(Margin + gap.Before) * type.Size(), shape, type, pitch);
        return (new Tensor(storage, 0, new Shape(count), type, count), view);
    }
}
