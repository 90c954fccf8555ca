namespace VlmKernels.Weights;

/// <summary>
/// How the tensors of one kind of checkpoint are named: a list of rules that turn the file's names into those that a model asks for. The first
/// rule that is about a name handles it; a name without a rule stays. In patterns <c>{i}</c> is a number and <c>*</c> any text.
/// </summary>
public sealed class Layout
{
    private readonly LayoutRule[] _rules;

    /// <summary>Makes a layout.</summary>
    /// <param name="name">Name for messages: <c>OpenAI</c>.</param>
    /// <param name="rules">Rules, in order.</param>
    public Layout(string name, params LayoutRule[] rules) => (Name, _rules) = (name, rules);

    /// <summary>Name for messages.</summary>
    public string Name { get; }

    /// <summary>A rule: another name.</summary>
    public static LayoutRule Rename(string from, string to) => new RenameRule(from, to, transpose: false);

    /// <summary>A rule: another name for a matrix that is stored [inputs, outputs].</summary>
    public static LayoutRule Transpose(string from, string to) => new RenameRule(from, to, transpose: true);

    /// <summary>A rule: a tensor cut along its first axis into as many equal parts as there are names.</summary>
    public static LayoutRule SplitRows(string from, params string[] to) => new SplitRule(from, to);

    /// <summary>A rule: a tensor that several places of the model start from.</summary>
    public static LayoutRule Share(string from, params string[] to) => new ShareRule(from, to);

    /// <summary>A rule: takes a prefix off, for the rules behind it.</summary>
    public static LayoutRule Strip(string prefix) => new StripRule(prefix);

    /// <summary>A rule: entries that are no weights; they are listed, not loaded.</summary>
    public static LayoutRule Ignore(params string[] patterns) => new IgnoreRule(patterns);

    /// <summary>This layout with more rules behind its own.</summary>
    public Layout With(params LayoutRule[] rules) => new(Name, [.. _rules, .. rules]);

    /// <summary>Puts this layout in front of a checkpoint's tensors.</summary>
    /// <param name="origin">Path of the checkpoint, for messages.</param>
    /// <param name="tensors">The tensors by their names in the file.</param>
    /// <exception cref="WeightFileException">Two tensors of the file claim one name.</exception>
    public LayoutView Over(string origin, IEnumerable<StoredTensor> tensors)
    {
        var view = new LayoutView(this, origin);
        foreach (var tensor in tensors) Place(new StoredView(tensor), view);
        return view;
    }

    /// <summary>The name that a tensor would have in the file.</summary>
    public string NameInFile(string asked) => _rules.Select(r => r.NameInFile(asked)).FirstOrDefault(n => n is not null) ?? asked;

    private void Place(WeightView tensor, LayoutView view)
    {
        string name = tensor.Key;
        foreach (var rule in _rules)
        {
            if (rule.Apply(ref name, tensor, view)) return;
        }
        view.Add(name, tensor);
    }
}
