using System.Collections.Immutable;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>A view of a storage: the element at index (i, j, …) is the storage's element first + i·stride₀ + j·stride₁ + ….</summary>
internal sealed class TorchTensor : StoredTensor
{
    private readonly TorchRecord _storage;
    private readonly long _first;
    private readonly (long Extent, long Stride)[] _axes;
    private readonly bool _isBigEndian;

    /// <param name="name">Name in the file.</param>
    /// <param name="file">Path of the file.</param>
    /// <param name="view">The view, which lies inside the storage.</param>
    /// <param name="isBigEndian">Whether the storage's elements are.</param>
    public TorchTensor(string name, string file, TorchView view, bool isBigEndian) : base(name, file, view.DType, view.Shape)
    {
        _storage = view.Storage;
        _first = view.First;
        _axes = Joined(view.Shape, view.Strides);
        _isBigEndian = isBigEndian && DType.Size() > 1;
    }

    /// <summary>Two tensors with equal identities are one tensor under two names.</summary>
    public (TorchRecord Storage, long First, FileDType DType, string View) Identity =>
        (_storage, _first, DType, $"{string.Join(",", Shape)};{string.Join(",", _axes)}");

    private bool IsContiguous => _axes.Length == 0 || (_axes.Length == 1 && _axes[0].Stride == 1);

    public override void ReleasePages()
    {
        if (ElementCount == 0) return;
        long last = _first + _axes.Sum(axis => (axis.Extent - 1) * axis.Stride);
        _storage.Release(_first * DType.Size(), (last + 1 - _first) * DType.Size());
    }

    protected override void PrepareRead(long firstElement, int count)
    {
        (MappedFile file, long start) = _storage.Open();
        if (IsContiguous) file.Populate(start + (_first + firstElement) * DType.Size(), (long)count * DType.Size());
    }

    protected override void CopyElements(long firstElement, Span<byte> into)
    {
        (MappedFile file, long start) = _storage.Open();
        if (IsContiguous) file.Copy(start + (_first + firstElement) * DType.Size(), into);
        else Gather(file, start, firstElement, into);
        if (_isBigEndian) Swap(into);
    }

    private void Gather(MappedFile file, long start, long firstElement, Span<byte> into)
    {
        using MappedFile.Hold hold = file.Keep();
        ref byte origin = ref MemoryMarshal.GetReference(file.Span(start + _first * DType.Size(), 1));
        switch (DType.Size())
        {
            case 8: Gather(ref origin, firstElement, MemoryMarshal.Cast<byte, ulong>(into)); break;
            case 4: Gather(ref origin, firstElement, MemoryMarshal.Cast<byte, uint>(into)); break;
            case 2: Gather(ref origin, firstElement, MemoryMarshal.Cast<byte, ushort>(into)); break;
            default: Gather(ref origin, firstElement, into); break;
        }
    }

    /// <summary>Runs along the last axis, then counts up the others.</summary>
    private void Gather<T>(ref byte origin, long firstElement, Span<T> into) where T : unmanaged
    {
        Span<long> index = stackalloc long[_axes.Length];
        for (int axis = index.Length - 1; axis >= 0; axis--) (firstElement, index[axis]) = Math.DivRem(firstElement, _axes[axis].Extent);
        (long extent, long stride) = _axes[^1];
        nint step = (nint)stride * Unsafe.SizeOf<T>();
        while (!into.IsEmpty)
        {
            long at = 0;
            for (int axis = 0; axis < index.Length; axis++) at += index[axis] * _axes[axis].Stride;
            ref byte source = ref Unsafe.AddByteOffset(ref origin, (nint)at * Unsafe.SizeOf<T>());
            int run = (int)Math.Min(into.Length, extent - index[^1]);
            for (int i = 0; i < run; i++) into[i] = Unsafe.ReadUnaligned<T>(ref Unsafe.AddByteOffset(ref source, i * step));
            into = into[run..];
            index[^1] += run;
            for (int axis = index.Length - 1; axis > 0 && index[axis] == _axes[axis].Extent; axis--)
            {
                index[axis] = 0;
                index[axis - 1]++;
            }
        }
    }

    private void Swap(Span<byte> elements)
    {
        switch (DType.Size())
        {
            case 8: Swap<ulong>(elements); break;
            case 4: Swap<uint>(elements); break;
            default: Swap<ushort>(elements); break;
        }
    }

    private static void Swap<T>(Span<byte> elements) where T : unmanaged, IBinaryInteger<T>
    {
        foreach (ref T value in MemoryMarshal.Cast<byte, T>(elements)) value = Reversed(value);
    }

    private static T Reversed<T>(T value) where T : unmanaged, IBinaryInteger<T>
    {
        MemoryMarshal.AsBytes(new Span<T>(ref value)).Reverse();
        return value;
    }

    /// <summary>The same view in as few axes as possible: none of extent 1, and none that only continues the next one.</summary>
    private static (long Extent, long Stride)[] Joined(ImmutableArray<long> shape, ImmutableArray<long> strides)
    {
        if (shape.Contains(0)) return [];
        var axes = new List<(long Extent, long Stride)>();
        for (int axis = 0; axis < shape.Length; axis++)
        {
            if (shape[axis] == 1) continue;
            if (axes.Count > 0 && axes[^1].Stride == shape[axis] * strides[axis]) axes[^1] = (axes[^1].Extent * shape[axis], strides[axis]);
            else axes.Add((shape[axis], strides[axis]));
        }
        return [.. axes];
    }
}
