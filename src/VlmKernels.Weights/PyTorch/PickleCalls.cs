namespace VlmKernels.Weights;

/// <summary>What the calls in a pickle would have made, put together from their arguments.</summary>
/// <param name="fault">Makes an error at the call that is looked at.</param>
/// <param name="mostPairs">How many items may be copied into dictionaries altogether.</param>
internal sealed class PickleCalls(Func<string, string, WeightFileException> fault, int mostPairs)
{
    private const int MostNested = 4;

    private readonly SortedSet<string> _unknown = new(StringComparer.Ordinal);
    private long _pairs;

    /// <summary>Names that were called and are not known.</summary>
    public IReadOnlyCollection<string> Unknown => _unknown;

    /// <summary>The result of a call.</summary>
    /// <param name="callee">What is called.</param>
    /// <param name="arguments">With what.</param>
    /// <param name="offset">Byte of the pickle that makes the call.</param>
    public PickleNode Result(PickleGlobal callee, PickleNode[] arguments, int offset)
    {
        // torch nests these once.
        for (int level = 0; callee.Kind == GlobalKind.Apply; level++)
        {
            if (level == MostNested) throw fault($"at most {MostNested} calls of {callee.Name} inside each other", "more");
            if (arguments is not [PickleGlobal inner, _, PickleTuple with, ..]) throw fault($"a function, a type and arguments for {callee.Name}", "others");
            (callee, arguments) = (inner, with.Items);
        }
        return callee.Kind switch
        {
            GlobalKind.Tensor => new PickleTensor(callee.Name, arguments, offset),
            GlobalKind.Wrap => arguments is [var wrapped, ..] ? wrapped : new PickleList(),
            GlobalKind.Dict => Dict(arguments),
            GlobalKind.Construct when arguments is [PickleGlobal type, ..] => Object(type, offset),
            GlobalKind.Other or GlobalKind.Construct => PickleNode.Other,
            _ => Object(callee, offset),
        };
    }

    private PickleObject Object(PickleGlobal maker, int offset)
    {
        // Every module of a TorchScript archive has a class of its own.
        if (!maker.IsTorchScript) _unknown.Add(maker.Name);
        return new PickleObject(maker, offset);
    }

    /// <summary>Empty, or of pairs, as Python 2 wrote an <c>OrderedDict</c>.</summary>
    private PickleDict Dict(PickleNode[] arguments)
    {
        var dict = new PickleDict();
        if (arguments is not [PickleList or PickleTuple, ..]) return dict;
        // A list may be given to any number of calls.
        if ((_pairs += arguments[0].Count) > mostPairs) throw fault("every list of pairs once", "one again and again");
        for (int i = 0; i < arguments[0].Count; i++)
        {
            PickleNode pair = arguments[0].Child(i).Node;
            if (pair is PickleList or PickleTuple && pair.Count == 2) dict.Set(pair.Child(0).Node, pair.Child(1).Node);
        }
        return dict;
    }
}
