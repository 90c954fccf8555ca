using System.Runtime.InteropServices;

namespace VlmKernels.Weights;

/// <summary>The stack of a pickle's machine. What lies below the last mark cannot be reached.</summary>
internal sealed class PickleStack(Func<string, string, WeightFileException> fault)
{
    private readonly List<PickleNode> _nodes = [];
    private readonly List<int> _marks = [];

    private int Fence => _marks.Count == 0 ? 0 : _marks[^1];

    public void Push(PickleNode node) => _nodes.Add(node);

    public PickleNode Pop()
    {
        PickleNode top = Top();
        _nodes.RemoveAt(_nodes.Count - 1);
        return top;
    }

    public PickleNode Top() => _nodes.Count > Fence ? _nodes[^1] : throw fault("something on the stack", "nothing");

    public void Mark() => _marks.Add(_nodes.Count);

    /// <summary>Takes everything above the last mark, and the mark.</summary>
    public PickleNode[] PopToMark()
    {
        if (_marks.Count == 0) throw fault("a mark on the stack", "none");
        PickleNode[] items = [.. CollectionsMarshal.AsSpan(_nodes)[Fence..]];
        _nodes.RemoveRange(Fence, items.Length);
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    /// <summary>Takes the topmost items, the deepest first.</summary>
    public PickleNode[] Pop(int count)
    {
        var items = new PickleNode[count];
        for (int i = count - 1; i >= 0; i--) items[i] = Pop();
        return items;
    }

    /// <summary>Drops the topmost item, or the mark that lies there.</summary>
    public void Drop()
    {
        if (_marks.Count > 0 && Fence == _nodes.Count) _marks.RemoveAt(_marks.Count - 1);
        else Pop();
    }
}
