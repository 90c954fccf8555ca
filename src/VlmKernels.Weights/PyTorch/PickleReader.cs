using static VlmKernels.Weights.PickleOps;

namespace VlmKernels.Weights;

/// <summary>What a pickle holds.</summary>
/// <param name="Root">What Python would have got.</param>
/// <param name="Storages">Every storage that it refers to, as often as it does.</param>
/// <param name="Unknown">Classes and functions whose results became inert objects.</param>
/// <param name="Length">Bytes of the pickle.</param>
internal sealed record Pickle(PickleNode Root, IReadOnlyList<PickleStorage> Storages, IReadOnlyCollection<string> Unknown, int Length);

/// <summary>
/// Reads a pickle into nodes without running anything: opcodes move nodes on a stack, globals become names, calls become the few results that
/// <see cref="PickleCalls"/> knows or inert objects. Takes time and memory in proportion to the pickle's length, whatever is in it.
/// </summary>
internal sealed class PickleReader
{
    private const int NewestProtocol = 5, LongestGlobal = 1024;

    private readonly PickleBytes _bytes;
    private readonly PickleStack _stack;
    private readonly PickleCalls _calls;
    // Far more than any checkpoint needs, and few enough for memory: a step takes a byte of the file and up to a hundred here.
    private const int MostSteps = 1 << 24, MostGlobals = 1 << 14;

    // Slots are the file's to choose: multiplied by a number of this process, none can be made to share a bucket.
    private static readonly long Scatter = Random.Shared.NextInt64() | 1;

    private readonly Dictionary<long, PickleNode> _memo = [];
    private readonly Dictionary<(string, string), PickleGlobal> _globals = [];
    private readonly List<PickleStorage> _storages = [];
    private int _opStart;

    private PickleReader(PickleBytes bytes)
    {
        _bytes = bytes;
        _stack = new PickleStack(Fault);
        _calls = new PickleCalls(Fault, bytes.Length);
    }

    /// <summary>Reads one pickle up to its end.</summary>
    /// <param name="bytes">Where it begins; afterwards what follows it.</param>
    /// <exception cref="WeightFileException">It is malformed, or names what could run code.</exception>
    public static Pickle Read(PickleBytes bytes)
    {
        var reader = new PickleReader(bytes);
        return new Pickle(reader.Run(), reader._storages, reader._calls.Unknown, bytes.Position);
    }

    private PickleNode Run()
    {
        for (int step = 0; step < MostSteps; step++)
        {
            _opStart = _bytes.Position;
            byte op = _bytes.Byte();
            if (op == Stop) return _stack.Pop();
            if (!Value(op) && !Container(op) && !Memory(op) && !Object(op)) throw Fault("an opcode that weights need", $"opcode 0x{op:x2}");
        }
        throw Fault($"a pickle of at most {MostSteps} opcodes", "a longer one");
    }

    private bool Value(byte op)
    {
        switch (op)
        {
            case None or NewTrue or NewFalse: return Push(PickleNode.Other);
            case BinFloat: return Skip(8);
            case Float: _bytes.Line(); return Push(PickleNode.Other);
            case BinInt: return Push((int)_bytes.UInt32());
            case BinInt1: return Push(_bytes.Byte());
            case BinInt2: return Push(_bytes.UInt16());
            case Int or Long: return Push(_bytes.Digits());
            case Long1: return Push(_bytes.Integer(_bytes.Byte()));
            case Long4: return Push(_bytes.Integer(_bytes.UInt32()));
            case PickleOps.String: return Push(new PickleText(_bytes.Line().Trim('\'', '"')));
            case PickleOps.Unicode: return Push(new PickleText(_bytes.Line()));
            case BinString: return Push(new PickleText(_bytes.AnyText(_bytes.UInt32())));
            case ShortBinString: return Push(new PickleText(_bytes.AnyText(_bytes.Byte())));
            case ShortBinUnicode: return Push(new PickleText(_bytes.Text(_bytes.Byte())));
            case BinUnicode: return Push(new PickleText(_bytes.Text(_bytes.UInt32())));
            case BinUnicode8: return Push(new PickleText(_bytes.Text(_bytes.UInt64())));
            case ShortBinBytes: return Skip(_bytes.Byte());
            case BinBytes: return Skip(_bytes.UInt32());
            case BinBytes8 or ByteArray8: return Skip(_bytes.UInt64());
            default: return false;
        }
    }

    private bool Container(byte op)
    {
        switch (op)
        {
            case EmptyTuple: return Push(PickleTuple.Empty);
            case Tuple1: return Push(new PickleTuple(_stack.Pop(1)));
            case Tuple2: return Push(new PickleTuple(_stack.Pop(2)));
            case Tuple3: return Push(new PickleTuple(_stack.Pop(3)));
            case PickleOps.Tuple: return Push(new PickleTuple(_stack.PopToMark()));
            case EmptyList or EmptySet: return Push(new PickleList());
            case List or FrozenSet: return Push(Filled(_stack.PopToMark()));
            case EmptyDict: return Push(new PickleDict());
            case Dict: return Push(Set(new PickleDict(), _stack.PopToMark()));
            case Append: return Add(_stack.Pop(1));
            case Appends or AddItems: return Add(_stack.PopToMark());
            case SetItem: return Set(_stack.Pop(2));
            case SetItems: return Set(_stack.PopToMark());
            default: return false;
        }
    }

    private bool Memory(byte op)
    {
        switch (op)
        {
            case Proto:
                byte protocol = _bytes.Byte();
                return protocol <= NewestProtocol ? true : throw Fault($"a pickle of protocol {NewestProtocol} or older", $"protocol {protocol}");
            case Frame:
                // Frames only help to read ahead; their length must not promise more than there is.
                _bytes.Expect(_bytes.UInt64());
                return true;
            case Mark: _stack.Mark(); return true;
            case Pop: _stack.Drop(); return true;
            case PopMark: _stack.PopToMark(); return true;
            case Dup: return Push(_stack.Top());
            case BinPut: return Put(_bytes.Byte());
            case LongBinPut: return Put(_bytes.UInt32());
            case PickleOps.Put: return Put(Slot());
            case Memoize: return Put(_memo.Count);
            case BinGet: return Get(_bytes.Byte());
            case LongBinGet: return Get(_bytes.UInt32());
            case PickleOps.Get: return Get(Slot());
            default: return false;
        }
    }

    private bool Object(byte op)
    {
        switch (op)
        {
            case Global: return Push(Named(_bytes.Line(), _bytes.Line()));
            case StackGlobal: return _stack.Pop(2) is [PickleText module, PickleText name] ? Push(Named(module.Value, name.Value)) : throw Fault("the name of a global", "something else");
            case Reduce or NewObj: return _stack.Pop(2) is [var callee, PickleTuple arguments] ? Call(callee, arguments.Items) : throw Fault("a tuple of arguments", "something else");
            case NewObjEx: return _stack.Pop(3) is [var type, PickleTuple given, _] ? Call(type, given.Items) : throw Fault("a tuple of arguments", "something else");
            case Obj: return _stack.PopToMark() is [var made, .. var with] ? Call(made, with) : throw Fault("a class", "nothing");
            case Inst: return Call(Named(_bytes.Line(), _bytes.Line()), _stack.PopToMark());
            case Build: return SetState(_stack.Pop());
            case BinPersId: return Push(PersistentId(_stack.Pop()));
            case PersId: throw Fault("a persistent id that is a tuple", $"the text {WeightFileException.Quote(_bytes.Line())}");
            case Ext1 or Ext2 or Ext4: throw Fault("no opcode that looks into a registry of extensions", $"opcode 0x{op:x2}");
            default: return false;
        }
    }

    private PickleGlobal Named(string module, string name)
    {
        if (_globals.TryGetValue((module, name), out PickleGlobal? known)) return known;
        if (_globals.Count == MostGlobals) throw Fault($"at most {MostGlobals} names of classes and functions", "more");
        string full = $"{module}.{name}";
        if (full.Length > LongestGlobal) throw Fault($"a global's name of at most {LongestGlobal} letters", WeightFileException.Quote(full));
        var global = new PickleGlobal(full);
        if (global.Kind == GlobalKind.Dangerous) throw Fault("nothing that could run code", WeightFileException.Quote(full));
        _globals.Add((module, name), global);
        return global;
    }

    private bool Call(PickleNode callee, PickleNode[] arguments) => Push(callee is PickleGlobal global ? _calls.Result(global, arguments, _opStart)
        : throw Fault("the name of what is called", "something else"));

    private PickleNode PersistentId(PickleNode id)
    {
        if (id is not PickleTuple tuple) throw Fault("a persistent id that is a tuple", "something else");
        // A class pickled with its source, as torch once did: only the class counts.
        if (tuple.Items is [PickleText { Value: "module" }, PickleGlobal global, ..]) return global;
        if (tuple.Items is not [PickleText { Value: "storage" }, PickleGlobal type, PickleText key, _, PickleInteger count, .. var rest])
        {
            throw Fault("a persistent id ('storage', class, key, location, count)", "another tuple");
        }
        var storage = new PickleStorage(type.Name, key.Value, count.Value, rest is [var part, ..] ? part : PickleNode.Other);
        _storages.Add(storage);
        return storage;
    }

    /// <summary>Attributes of tensors and dictionaries are not looked at; an object's may hold tensors.</summary>
    private bool SetState(PickleNode state)
    {
        if (_stack.Top() is PickleObject target) target.State = state;
        return true;
    }

    private bool Add(ReadOnlySpan<PickleNode> items)
    {
        PickleList? list = _stack.Top() switch
        {
            PickleList plain => plain,
            PickleObject derived => derived.List(),
            _ => throw Fault("a list or set to add to", "something else"),
        };
        list.Add(items);
        return true;
    }

    private bool Set(PickleNode[] pairs)
    {
        PickleDict dict = _stack.Top() switch
        {
            PickleDict plain => plain,
            PickleObject derived => derived.Dict(),
            _ => throw Fault("a dictionary to set items of", "something else"),
        };
        Set(dict, pairs);
        return true;
    }

    private PickleDict Set(PickleDict dict, PickleNode[] pairs)
    {
        if (pairs.Length % 2 != 0) throw Fault("keys and values in pairs", "a key without a value");
        for (int i = 0; i < pairs.Length; i += 2) dict.Set(pairs[i], pairs[i + 1]);
        return dict;
    }

    private static PickleList Filled(PickleNode[] items)
    {
        var list = new PickleList();
        list.Add(items);
        return list;
    }

    private long Slot() => _bytes.Digits() is { } slot && slot >= 0 && slot <= uint.MaxValue ? (long)slot : throw Fault("the number of a memo slot", "another number");

    private bool Put(long slot)
    {
        _memo[slot * Scatter] = _stack.Top();
        return true;
    }

    private bool Get(long slot) => Push(_memo.TryGetValue(slot * Scatter, out PickleNode? node) ? node : throw Fault("a memo slot that was written", $"slot {slot}"));

    private bool Push(Int128? number) => Push(number is { } value ? new PickleInteger(value) : PickleNode.Other);

    private bool Push(PickleNode node)
    {
        _stack.Push(node);
        return true;
    }

    private bool Skip(ulong count)
    {
        _bytes.Take(count);
        return Push(PickleNode.Other);
    }

    private WeightFileException Fault(string expected, string found) => _bytes.FaultAt(_opStart, expected, found);
}
