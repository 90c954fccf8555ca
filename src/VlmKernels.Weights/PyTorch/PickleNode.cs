namespace VlmKernels.Weights;

/// <summary>
/// What a pickle describes, as inert data. Nothing of it has behaviour: a node says what Python would have built, and is only looked at.
/// Nodes may contain each other, so whoever walks them keeps count.
/// </summary>
internal class PickleNode
{
    /// <summary>None, booleans, floats, bytes and all else whose value nobody asks for.</summary>
    public static readonly PickleNode Other = new();

    protected PickleNode() { }

    /// <summary>Number of nodes inside this one.</summary>
    public virtual int Count => 0;

    /// <summary>A node inside this one and the part of a tensor's name that leads to it; null when it adds none.</summary>
    public virtual (string? Name, PickleNode Node) Child(int index) => throw new ArgumentOutOfRangeException(nameof(index));
}

/// <summary>A string.</summary>
internal sealed class PickleText(string value) : PickleNode
{
    public string Value { get; } = value;
}

/// <summary>A whole number; wide enough for the magic number of the old container.</summary>
internal sealed class PickleInteger(Int128 value) : PickleNode
{
    public Int128 Value { get; } = value;
}

/// <summary>A tuple.</summary>
internal sealed class PickleTuple(PickleNode[] items) : PickleNode
{
    public static readonly PickleTuple Empty = new([]);

    public PickleNode[] Items { get; } = items;

    public override int Count => Items.Length;

    public override (string? Name, PickleNode Node) Child(int index) => ($"{index}", Items[index]);
}

/// <summary>A list or a set.</summary>
internal sealed class PickleList : PickleNode
{
    private List<PickleNode>? _items;

    public override int Count => _items?.Count ?? 0;

    public override (string? Name, PickleNode Node) Child(int index) => ($"{index}", _items![index]);

    public void Add(ReadOnlySpan<PickleNode> items) => (_items ??= []).AddRange(items);
}

/// <summary>A dictionary, in the order of its first insertions; of a key that comes twice the last value counts.</summary>
internal sealed class PickleDict : PickleNode
{
    private List<KeyValuePair<PickleNode, PickleNode>>? _items;
    private Dictionary<string, int>? _places;

    public override int Count => _items?.Count ?? 0;

    public override (string? Name, PickleNode Node) Child(int index) => (Name(_items![index].Key), _items[index].Value);

    /// <summary>The value under a string or number, or null.</summary>
    public PickleNode? Find(string key) => _places is not null && _places.TryGetValue(key, out int place) ? _items![place].Value : null;

    public void Set(PickleNode key, PickleNode value)
    {
        _items ??= [];
        _places ??= new(StringComparer.Ordinal);
        // Keys of other kinds, and overlong ones, never name a tensor, so it does not matter how often they come.
        bool isName = key is PickleText { Value.Length: <= StateDict.LongestName } or PickleInteger;
        if (isName && !_places.TryAdd(Name(key), _items.Count)) _items[_places[Name(key)]] = new(key, value);
        else _items.Add(new(key, value));
    }

    private static string Name(PickleNode key) => key switch
    {
        PickleText text => text.Value,
        PickleInteger integer => $"{integer.Value}",
        _ => "?",
    };
}

/// <summary>Something that Python would have looked up by name: a class, a function or a constant.</summary>
/// <param name="name">Module and name, joined by a dot.</param>
internal sealed class PickleGlobal(string name) : PickleNode
{
    public string Name { get; } = name;

    public GlobalKind Kind { get; } = PickleGlobals.Kind(name);

    /// <summary>A class of a module that lies in the archive as code.</summary>
    public bool IsTorchScript => Name.StartsWith("__torch__.", StringComparison.Ordinal);

    /// <summary>Classes are written with a capital; what is not may be a function that returns anything.</summary>
    public bool LooksLikeClass => Name[^1] != '.' && char.IsUpper(Name[Name.LastIndexOf('.') + 1]);
}

/// <summary>What an unknown class or function would have made. A module of a TorchScript archive is one, too: its state holds its tensors.</summary>
/// <param name="maker">The class or function.</param>
/// <param name="offset">Byte of the pickle that asks for it.</param>
internal sealed class PickleObject(PickleGlobal maker, int offset) : PickleNode
{
    private PickleNode _items = Other;

    public PickleGlobal Maker { get; } = maker;

    public int Offset { get; } = offset;

    public override int Count => 2;

    public override (string? Name, PickleNode Node) Child(int index) => (null, index == 0 ? State : _items);

    /// <summary>What would have been given to <c>__setstate__</c>, or become the attributes.</summary>
    public PickleNode State { get; set; } = Other;

    /// <summary>Items of a class derived from <c>dict</c>.</summary>
    public PickleDict Dict() => Items<PickleDict>();

    /// <summary>Items of a class derived from <c>list</c> or <c>set</c>.</summary>
    public PickleList List() => Items<PickleList>();

    private T Items<T>() where T : PickleNode, new()
    {
        if (_items is T known) return known;
        var items = new T();
        _items = items;
        return items;
    }
}

/// <summary>A storage by its persistent id: <c>('storage', class, key, location, count)</c>, judged when a tensor in it is chosen.</summary>
/// <param name="type">Name of the storage's class.</param>
/// <param name="key">Names the storage's bytes.</param>
/// <param name="count">Elements in it.</param>
/// <param name="part">In the old container, which part of another storage it is.</param>
internal sealed class PickleStorage(string type, string key, Int128 count, PickleNode part) : PickleNode
{
    public string Type { get; } = type;

    public string Key { get; } = key;

    public Int128 Elements { get; } = count;

    public PickleNode Part { get; } = part;
}

/// <summary>A call of one of torch's functions that rebuild a tensor; its arguments are judged when the tensor is chosen.</summary>
/// <param name="function">The function.</param>
/// <param name="arguments">Storage, offset, size, stride, and what else the function takes.</param>
/// <param name="offset">Byte of the pickle that makes the call.</param>
internal sealed class PickleTensor(string function, PickleNode[] arguments, int offset) : PickleNode
{
    public string Function { get; } = function;

    public PickleNode[] Arguments { get; } = arguments;

    public int Offset { get; } = offset;
}
