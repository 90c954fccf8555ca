namespace VlmKernels.Weights;

/// <summary>One rule of a <see cref="Layout"/>: how some names of a file become the names that a model asks for.</summary>
public abstract class LayoutRule
{
    private protected LayoutRule() { }

    /// <summary>Handles a tensor if the rule is about it.</summary>
    /// <param name="name">The tensor's name; a rule may change it for the rules behind it.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="view">Receives the tensor under its new name or names.</param>
    /// <returns>True when no other rule is to see the tensor.</returns>
    internal abstract bool Apply(ref string name, WeightView tensor, LayoutView view);

    /// <summary>The file's name for one that a model asks for, or null.</summary>
    internal virtual string? NameInFile(string asked) => null;
}

/// <summary>Another name, and perhaps the transposed matrix.</summary>
internal sealed class RenameRule(string from, string to, bool transpose) : LayoutRule
{
    private readonly NamePattern _from = new(from), _to = new(to);

    internal override bool Apply(ref string name, WeightView tensor, LayoutView view)
    {
        if (_from.Translate(name, _to) is not { } asked) return false;
        // A tensor that is no matrix stays as it is: its shape will be reported.
        view.Add(asked, transpose && tensor.Shape.Length == 2 ? new TransposedView(tensor) : tensor);
        return true;
    }

    internal override string? NameInFile(string asked) => _to.Translate(asked, _from);
}

/// <summary>One tensor cut along its first axis into equal parts with names of their own.</summary>
internal sealed class SplitRule(string from, string[] to) : LayoutRule
{
    private readonly NamePattern _from = new(from);
    private readonly NamePattern[] _to = [.. to.Select(t => new NamePattern(t))];

    internal override bool Apply(ref string name, WeightView tensor, LayoutView view)
    {
        if (!_from.Matches(name)) return false;
        bool divides = tensor.Shape.Length > 0 && tensor.Shape[0] > 0 && tensor.Shape[0] % _to.Length == 0;
        long rows = divides ? tensor.Shape[0] / _to.Length : 0;
        for (int i = 0; i < _to.Length; i++) view.Add(_from.Translate(name, _to[i])!, divides ? new RowsView(tensor, i * rows, rows) : tensor);
        return true;
    }

    internal override string? NameInFile(string asked) => _to.Select(t => t.Translate(asked, _from)).FirstOrDefault(n => n is not null);
}

/// <summary>One tensor under several names.</summary>
internal sealed class ShareRule(string from, string[] to) : LayoutRule
{
    private readonly NamePattern _from = new(from);
    private readonly NamePattern[] _to = [.. to.Select(t => new NamePattern(t))];

    internal override bool Apply(ref string name, WeightView tensor, LayoutView view)
    {
        if (!_from.Matches(name)) return false;
        foreach (var asked in _to) view.Add(_from.Translate(name, asked)!, tensor);
        return true;
    }

    internal override string? NameInFile(string asked) => _to.Select(t => t.Translate(asked, _from)).FirstOrDefault(n => n is not null);
}

/// <summary>A prefix taken off before the other rules look.</summary>
internal sealed class StripRule(string prefix) : LayoutRule
{
    internal override bool Apply(ref string name, WeightView tensor, LayoutView view)
    {
        if (name.StartsWith(prefix, StringComparison.Ordinal)) name = name[prefix.Length..];
        return false;
    }
}

/// <summary>Entries that are no weights.</summary>
internal sealed class IgnoreRule(string[] patterns) : LayoutRule
{
    private readonly NamePattern[] _patterns = [.. patterns.Select(p => new NamePattern(p))];

    internal override bool Apply(ref string name, WeightView tensor, LayoutView view)
    {
        foreach (var pattern in _patterns)
        {
            if (!pattern.Matches(name)) continue;
            view.Ignore(tensor);
            return true;
        }
        return false;
    }
}
