using System.Collections.Frozen;
using System.Globalization;

namespace VlmKernels.Weights;

/// <summary>
/// Chooses the weights in what a file pickles. A training checkpoint keeps them under one of the usual keys; what lies beside them is left out
/// and noted. Names below that are joined by dots, as they are stored.
/// </summary>
internal sealed class StateDict
{
    /// <summary>Letters in the longest name of a tensor.</summary>
    public const int LongestName = 1024;

    private const int MostWrappers = 4, DeepestName = 200, LeastNameLetters = 1 << 16, NameLettersPerByte = 16, VisitsPerByte = 4, LeastVisits = 1000;

    // Averages of weights come last: they are taken only where nothing else is there.
    private static readonly string[] Wrappers = ["state_dict", "model_state_dict", "model", "module", "network", "net", "params", "weights", "ema_state_dict", "state_dict_ema", "model_ema", "params_ema", "ema"];

    // What trainers keep beside weights that lie at the top.
    private static readonly FrozenSet<string> NoWeights = new[]
    {
        "optimizer", "optimizers", "optimizer_state_dict", "optimizer_state", "optimizer_states", "optim", "scaler", "grad_scaler", "amp", "scheduler", "schedulers", "lr_scheduler", "lr_schedulers",
        "lr_scheduler_state_dict", "rng", "rng_state", "rng_states", "callbacks", "loops", "ema_state_dict", "state_dict_ema", "model_ema", "params_ema", "ema",
    }.ToFrozenSet(StringComparer.Ordinal);

    // Where a pickled module keeps its tensors; the names in its state_dict do not show it.
    private static readonly FrozenSet<string> ModuleParts = new[] { "_parameters", "_buffers", "_modules" }.ToFrozenSet(StringComparer.Ordinal);

    private readonly string _file;
    private readonly Pickle _pickle;
    private readonly HashSet<PickleNode> _holders;
    private readonly List<(string Name, PickleTensor Tensor)> _tensors = [];
    private readonly List<string> _notes = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private long _letters, _visits;

    /// <exception cref="WeightFileException">There are no weights, or a name occurs twice.</exception>
    public StateDict(string file, Pickle pickle)
    {
        (_file, _pickle, _holders) = (file, pickle, TensorHolders.Find(pickle.Root));
        PickleNode weights = Unwrap(pickle.Root);
        Collect(weights);
        if (_tensors.Count == 0 && weights is PickleObject made) throw new WeightFileException(file, null, "weights", $"an object of {WeightFileException.Quote(made.Maker.Name)} at byte {made.Offset}");
        if (pickle.Unknown.Count > 0) _notes.Add($"objects that were not built: {Shortened(pickle.Unknown)}");
    }

    /// <summary>The weights by name, in the order of the file.</summary>
    public IReadOnlyList<(string Name, PickleTensor Tensor)> Tensors => _tensors;

    /// <summary>What was left out, for people.</summary>
    public IReadOnlyList<string> Notes => _notes;

    private PickleNode Unwrap(PickleNode node)
    {
        for (int depth = 0; depth < MostWrappers && node is PickleDict dict; depth++)
        {
            string? key = Wrappers.FirstOrDefault(key => dict.Find(key) is { } inner && _holders.Contains(inner));
            if (key is null) break;
            string[] others = [.. Children(dict).Where(child => child.Name != key && (child.Node is PickleTensor || _holders.Contains(child.Node))).Select(child => child.Name ?? "")];
            _notes.Add($"the weights are those under {WeightFileException.Quote(key)}{(others.Length == 0 ? "" : $"; tensors left out: {Shortened(others)}")}");
            node = dict.Find(key)!;
        }
        return node;
    }

    /// <summary>Walks everything that holds tensors, without recursion. What is shared is seen as often as names lead to it, within bounds.</summary>
    private void Collect(PickleNode root)
    {
        if (root is PickleTensor single) _tensors.Add(("", single));
        var path = new Stack<Place>();
        if (_holders.Contains(root)) Enter(path, root, null, isState: false);
        while (path.TryPop(out var at))
        {
            if (at.Next == at.Node.Count) continue;
            path.Push(at with { Next = at.Next + 1 });
            if (++_visits > LeastVisits + (long)VisitsPerByte * _pickle.Length) throw Fault(at.Prefix, "no more names than the file has bytes", "containers that contain each other");
            (string? part, PickleNode node) = at.Node.Child(at.Next);
            if (at.IsState && part is not null && ModuleParts.Contains(part)) part = null;
            string? name = part is null ? at.Prefix : at.Prefix is null ? part : Joined(at.Prefix, part);
            if (node is PickleTensor tensor) Add(name ?? "", tensor);
            else if (_holders.Contains(node) && !IsLeftOut(at.Prefix, part)) Enter(path, node, name, isState: at.Node is PickleObject made && made.State == node);
        }
    }

    private bool IsLeftOut(string? prefix, string? part)
    {
        if (prefix is not null || part is null || !NoWeights.Contains(part)) return false;
        _notes.Add($"tensors left out: {part}");
        return true;
    }

    private void Enter(Stack<Place> path, PickleNode node, string? name, bool isState)
    {
        if (path.Count == DeepestName) throw Fault(name, $"tensors at most {DeepestName} containers deep", "a deeper one");
        bool holdsTensors = false;
        PickleObject? call = null;
        foreach ((string? _, PickleNode child) in Children(node))
        {
            holdsTensors |= child is PickleTensor;
            if (child is PickleObject { Maker.LooksLikeClass: false } made && !_holders.Contains(made)) call ??= made;
        }
        // Among weights, the result of an unknown function may be a weight that would silently be missing.
        if (holdsTensors && call is not null) throw Fault(name, "weights that are plain tensors", $"a call of {WeightFileException.Quote(call.Maker.Name)} at byte {call.Offset} among them");
        path.Push(new Place(node, name, isState, 0));
    }

    private IEnumerable<(string? Name, PickleNode Node)> Children(PickleNode node)
    {
        _visits += node.Count;
        return Enumerable.Range(0, node.Count).Select(node.Child);
    }

    private string Joined(string prefix, string part)
    {
        _letters += prefix.Length + part.Length;
        if (prefix.Length + part.Length > LongestName || _letters > LeastNameLetters + (long)NameLettersPerByte * _pickle.Length)
        {
            throw Fault(prefix, $"names of at most {LongestName} letters that the file has room for", "longer or more ones");
        }
        return $"{prefix}.{part}";
    }

    private void Add(string name, PickleTensor tensor)
    {
        if (name.Length > LongestName) throw Fault(name, $"names of at most {LongestName} letters", $"{name.Length}");
        if (!_names.Add(name)) throw Fault(name, "every name once", "it twice");
        _tensors.Add((name, tensor));
    }

    /// <summary>A container on the way, the names that lead to it, whether it is an object's state, and which of its items comes next.</summary>
    private readonly record struct Place(PickleNode Node, string? Prefix, bool IsState, int Next);

    private static string Shortened(IReadOnlyCollection<string> names)
    {
        const int shown = 8;
        string text = string.Join(", ", names.Take(shown).Select(name => WeightFileException.Quote(name).Trim('\'')));
        return names.Count <= shown ? text : string.Create(CultureInfo.InvariantCulture, $"{text} and {names.Count - shown} more");
    }

    private WeightFileException Fault(string? name, string expected, string found) => new(_file, name, expected, found);
}

/// <summary>Finds the containers that hold tensors, however deep.</summary>
internal static class TensorHolders
{
    /// <summary>Looks at every node once, without recursion.</summary>
    public static HashSet<PickleNode> Find(PickleNode root)
    {
        var seen = new HashSet<PickleNode> { root };
        var holders = new HashSet<PickleNode>();
        var path = new Stack<(PickleNode Node, int Next)>([(root, 0)]);
        while (path.TryPop(out var at))
        {
            if (at.Next == at.Node.Count)
            {
                if (holders.Contains(at.Node) && path.TryPeek(out var above)) holders.Add(above.Node);
                continue;
            }
            path.Push((at.Node, at.Next + 1));
            PickleNode child = at.Node.Child(at.Next).Node;
            if (child is PickleTensor || holders.Contains(child)) holders.Add(at.Node);
            else if (child.Count > 0 && seen.Add(child)) path.Push((child, 0));
        }
        return holders;
    }
}
