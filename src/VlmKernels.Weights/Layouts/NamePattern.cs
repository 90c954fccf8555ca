namespace VlmKernels.Weights;

/// <summary>
/// A name with holes: <c>{i}</c> stands for a number, <c>*</c> (once at most) for any text. Two patterns with the same holes in the same
/// order translate names into each other.
/// </summary>
public sealed class NamePattern
{
    private const string Number = "{i}";
    private const string Any = "*";

    private readonly List<string> _parts = [];

    /// <summary>Reads a pattern.</summary>
    public NamePattern(string pattern)
    {
        while (pattern.Length > 0)
        {
            int number = pattern.IndexOf(Number, StringComparison.Ordinal), any = pattern.IndexOf(Any, StringComparison.Ordinal);
            int hole = number < 0 ? any : any < 0 ? number : Math.Min(number, any);
            if (hole < 0) hole = pattern.Length;
            if (hole > 0) _parts.Add(pattern[..hole]);
            pattern = pattern[hole..];
            if (pattern.Length == 0) break;
            string found = pattern[0] == Any[0] ? Any : Number;
            _parts.Add(found);
            pattern = pattern[found.Length..];
        }
    }

    /// <summary>The holes in their order, to be compared with another pattern's: <c>{i}*</c>.</summary>
    public string Holes => string.Concat(_parts.Where(part => part is Number or Any));

    /// <summary>Whether a name fits the pattern.</summary>
    public bool Matches(string name) => Match(name, 0, 0, null);

    /// <summary>Translates a name that matches this pattern into the other one, which has the same <see cref="Holes"/>; null for one that does not match.</summary>
    public string? Translate(string name, NamePattern to)
    {
        var holes = new List<string>();
        if (!Match(name, 0, 0, holes)) return null;
        int next = 0;
        return string.Concat(to._parts.Select(part => part is Number or Any ? holes[next++] : part));
    }

    private bool Match(string name, int at, int part, List<string>? holes)
    {
        if (part == _parts.Count) return at == name.Length;
        string expected = _parts[part];
        if (expected == Any) return MatchAny(name, at, part, holes);
        int end = at;
        if (expected == Number)
        {
            while (end < name.Length && char.IsAsciiDigit(name[end])) end++;
            if (end == at) return false;
            holes?.Add(name[at..end]);
        }
        else
        {
            if (string.CompareOrdinal(name, at, expected, 0, expected.Length) != 0) return false;
            end += expected.Length;
        }
        return Match(name, end, part + 1, holes);
    }

    private bool MatchAny(string name, int at, int part, List<string>? holes)
    {
        for (int end = name.Length; end >= at; end--)
        {
            int kept = holes?.Count ?? 0;
            holes?.Add(name[at..end]);
            if (Match(name, end, part + 1, holes)) return true;
            holes?.RemoveRange(kept, holes.Count - kept);
        }
        return false;
    }
}
