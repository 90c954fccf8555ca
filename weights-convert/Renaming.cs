using VlmKernels.Weights;

namespace VlmKernels.Convert;

/// <summary>One rule <c>FROM=TO</c> for names: <c>*</c> (once) is any text, <c>{i}</c> a number, and TO has the same holes in the same order.</summary>
internal sealed class Renaming
{
    private readonly string _text;
    private readonly NamePattern _from, _to;
    private bool _isUsed;

    private Renaming(string text, NamePattern from, NamePattern to) => (_text, _from, _to) = (text, from, to);

    /// <exception cref="ArgumentException">It is no rule.</exception>
    public static Renaming Parse(string text)
    {
        int equals = text.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1) throw new ArgumentException($"--rename: expected FROM=TO, found {text}");
        NamePattern from = new(text[..equals]), to = new(text[(equals + 1)..]);
        if (from.Holes.Count(c => c == '*') > 1) throw new ArgumentException($"--rename {text}: expected one * at most, found {from.Holes.Count(c => c == '*')}");
        if (from.Holes != to.Holes) throw new ArgumentException($"--rename {text}: expected the same * and {{i}} in the same order on both sides, found '{from.Holes}' and '{to.Holes}'");
        return new Renaming(text, from, to);
    }

    /// <summary>The name after this rule.</summary>
    public string Apply(string name)
    {
        if (_from.Translate(name, _to) is not { } renamed) return name;
        _isUsed = true;
        return renamed;
    }

    /// <exception cref="ArgumentException">No name fitted, which a misspelt rule would hide.</exception>
    public void ExpectUse()
    {
        if (!_isUsed) throw new ArgumentException($"--rename {_text}: expected a tensor whose name fits, found none");
    }
}
