using System.Collections.Immutable;

namespace VlmKernels.Weights;

/// <summary>A tensor as a pickle describes it, once it is known to lie inside its storage.</summary>
/// <param name="Storage">The storage's bytes.</param>
/// <param name="DType">Element type.</param>
/// <param name="First">The storage's element at index (0, 0, …).</param>
/// <param name="Shape">Extents, outermost first.</param>
/// <param name="Strides">Distance of neighbours along each axis, in elements.</param>
internal sealed record TorchView(TorchRecord Storage, FileDType DType, long First, ImmutableArray<long> Shape, ImmutableArray<long> Strides);

/// <summary>Turns calls of torch's rebuild functions into views, and refuses those that leave their storage.</summary>
/// <param name="file">Path of the file, for messages.</param>
/// <param name="storages">Finds a storage's bytes by its key; null when there are none.</param>
/// <param name="capacity">Bytes of all storages.</param>
internal sealed class TorchViews(string file, Func<string, TorchRecord?> storages, long capacity)
{
    // As many as a safetensors header may have.
    private const int MostExtents = 64;

    // An expanded view may be larger than its storage; one that no file of this size could hold is a trap.
    private const long AlwaysAllowed = 1 << 20;

    /// <exception cref="WeightFileException">Type, storage, shape or strides are not what a tensor can have.</exception>
    public TorchView View(string name, PickleTensor tensor)
    {
        PickleNode[] given = tensor.Arguments;
        if (given is not [PickleStorage storage, PickleInteger offset, PickleTuple size, PickleTuple stride, ..])
        {
            throw Fault(name, "a storage, an offset, a size and strides", $"other arguments of {tensor.Function} at byte {tensor.Offset}");
        }
        FileDType dtype = DType(name, storage, given);
        TorchRecord record = Storage(name, storage);
        (long first, long elements) = Part(name, storage, record.Length / dtype.Size());
        ImmutableArray<long> shape = Numbers(name, "size", size), strides = Numbers(name, "stride", stride);
        if (shape.Length != strides.Length) throw Fault(name, "as many strides as extents", $"{strides.Length} and {shape.Length}");
        if (offset.Value < 0 || offset.Value > elements) throw Fault(name, $"an offset inside storage {storage.Key} of {elements} elements", $"{offset.Value}");
        CheckSize(name, dtype, shape);
        CheckInside(name, storage.Key, (long)offset.Value, elements, shape, strides);
        return new TorchView(record, dtype, first + (long)offset.Value, shape, strides);
    }

    private FileDType DType(string name, PickleStorage storage, PickleNode[] given)
    {
        // Only the newest function gives a dtype, because its storages have none.
        if (given is [_, _, _, _, _, _, PickleGlobal dtype, ..]) return TorchTypes.OfDType(dtype.Name) ?? throw Unsupported(name, dtype.Name);
        return TorchTypes.OfStorage(storage.Type) ?? throw Unsupported(name, storage.Type);
    }

    private TorchRecord Storage(string name, PickleStorage storage)
    {
        if (TorchTypes.ElementSize(storage.Type) is not { } size) throw Fault(name, "one of torch's storage classes", WeightFileException.Quote(storage.Type));
        TorchRecord record = storages(storage.Key) ?? throw Fault(name, $"storage {WeightFileException.Quote(storage.Key)} in the file", "none");
        if (storage.Elements < 0 || storage.Elements > long.MaxValue / size || (long)storage.Elements * size != record.Length)
        {
            throw Fault(name, $"{storage.Elements} elements of {size} bytes in storage {WeightFileException.Quote(storage.Key)}", $"{record.Length} bytes");
        }
        return record;
    }

    /// <summary>The old container may give a part of a storage: <c>(key of the part, first element, elements)</c>.</summary>
    private (long First, long Elements) Part(string name, PickleStorage storage, long elements)
    {
        if (storage.Part is not PickleTuple part) return (0, elements);
        if (part.Items is [_, PickleInteger first, PickleInteger count] && first.Value >= 0 && count.Value >= 0 && first.Value <= elements && count.Value <= elements - first.Value)
        {
            return ((long)first.Value, (long)count.Value);
        }
        throw Fault(name, $"a part of storage {WeightFileException.Quote(storage.Key)}", "one that leaves it");
    }

    private ImmutableArray<long> Numbers(string name, string what, PickleTuple numbers)
    {
        if (numbers.Count > MostExtents) throw Fault(name, $"at most {MostExtents} numbers as {what}", $"{numbers.Count}");
        var values = ImmutableArray.CreateBuilder<long>(numbers.Count);
        foreach (PickleNode item in numbers.Items)
        {
            if (item is not PickleInteger number || number.Value < 0 || number.Value > long.MaxValue) throw Fault(name, $"whole numbers from 0 to {long.MaxValue} as {what}", "something else");
            values.Add((long)number.Value);
        }
        return values.DrainToImmutable();
    }

    private void CheckSize(string name, FileDType dtype, ImmutableArray<long> shape)
    {
        long bytes;
        try
        {
            bytes = checked(StoredTensor.CountElements(shape.AsSpan()) * dtype.Size());
        }
        catch (OverflowException e)
        {
            throw new WeightFileException(file, name, "a shape whose size in bytes fits 63 bits", $"[{string.Join(", ", shape)}]", e);
        }
        if (bytes > Math.Max(AlwaysAllowed, capacity)) throw Fault(name, $"no more than the {capacity} bytes of all storages", $"a view of [{string.Join(", ", shape)}] that takes {bytes}");
    }

    private void CheckInside(string name, string key, long offset, long elements, ImmutableArray<long> shape, ImmutableArray<long> strides)
    {
        if (shape.Contains(0)) return;
        Int128 last = offset;
        for (int axis = 0; axis < shape.Length && last < elements; axis++) last += (Int128)(shape[axis] - 1) * strides[axis];
        if (last >= elements) throw Fault(name, $"a view inside storage {WeightFileException.Quote(key)} of {elements} elements", $"[{string.Join(", ", shape)}] with strides [{string.Join(", ", strides)}] from element {offset}");
    }

    private WeightFileException Unsupported(string name, string type) => Fault(name, $"a dtype of {FileDTypes.Known}", WeightFileException.Quote(type));

    private WeightFileException Fault(string name, string expected, string found) => new(file, name, expected, found);
}
