using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>
/// A regular expression over code points. .NET matches UTF-16 units, so \p{L} misses letters above U+FFFF; here such a code point is matched
/// as a character of the same general category, and the match is mapped back.
/// </summary>
internal sealed class RunePattern
{
    // One character of every general category, chosen so that no pattern names it.
    private static readonly Dictionary<UnicodeCategory, char> Representatives = "Ȁȁǅʰꀀ̀ः҈٠Ⅰ①\u200B\uE000‿⸗⁅⁆⸂⸃⸀∀₠˂⌀\u0378".ToDictionary(CharUnicodeInfo.GetUnicodeCategory);

    private readonly Regex regex;

    /// <summary>Compiles a pattern. A time limit per match keeps a hostile tokenizer.json from hanging the process.</summary>
    /// <exception cref="ArgumentException">The pattern is not one that .NET understands.</exception>
    public RunePattern(string pattern, RegexOptions options = RegexOptions.None) => regex = new Regex(pattern, options | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));

    /// <summary>The matches as ranges of UTF-16 units, from the left; empty matches are left out.</summary>
    /// <exception cref="ConfigFormatException">A match takes longer than a second: patterns of hostile files may take forever.</exception>
    public List<Range> Matches(string text)
    {
        try
        {
            return Find(text);
        }
        catch (RegexMatchTimeoutException e)
        {
            throw new ConfigFormatException($"the pattern {e.Pattern} of the tokenizer's file takes too long on a text of {text.Length} characters", e);
        }
    }

    private List<Range> Find(string text)
    {
        var ranges = new List<Range>();
        int[]? starts = null;
        string subject = text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? OneUnitEach(text, out starts) : text;
        foreach (ValueMatch match in regex.EnumerateMatches(subject))
        {
            if (match.Length == 0) continue;
            int start = match.Index, end = match.Index + match.Length;
            ranges.Add(starts is null ? start..end : starts[start]..starts[end]);
        }
        return ranges;
    }

    private static string OneUnitEach(string text, out int[] starts)
    {
        var units = new StringBuilder(text.Length);
        var at = new List<int>(text.Length);
        int position = 0;
        while (position < text.Length)
        {
            at.Add(position);
            bool pair = char.IsHighSurrogate(text[position]) && position + 1 < text.Length && char.IsLowSurrogate(text[position + 1]);
            units.Append(pair ? Representatives.GetValueOrDefault(CharUnicodeInfo.GetUnicodeCategory(text, position), '\uE000') : text[position]);
            position += pair ? 2 : 1;
        }
        at.Add(position);
        starts = [.. at];
        return units.ToString();
    }
}
