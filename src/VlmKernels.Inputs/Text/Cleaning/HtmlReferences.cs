using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>HTML character references: the whole HTML 5 rule (Python's <c>html.unescape</c>) and the cautious one for text that may not be HTML.</summary>
internal static partial class HtmlReferences
{
    private const string Windows1252 = "\u20AC\u0081\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\u008D\u017D\u008F\u0090\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\u009D\u017E\u0178";

    private static readonly Lazy<Dictionary<string, string>> Names = new(() => EmbeddedText.Rows("html-entities.txt")
        .ToDictionary(r => r[0], r => string.Concat(r.Skip(1).Select(h => char.ConvertFromUtf32(int.Parse(h, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))))));

    private static readonly Lazy<Dictionary<string, string>> Capitals = new(MakeCapitals);

    /// <summary>Every reference, also without its semicolon and by the longest known beginning of a name.</summary>
    public static string Unescape(string text) => text.Contains('&') ? AnyReference().Replace(text, m => Expand(m.Groups[1].Value)) : text;

    /// <summary>Only references that end in a semicolon and are known as a whole; also names of letters written in capitals (&amp;EACUTE;).</summary>
    public static string UnescapeCautiously(string text) => text.Contains('&') ? WholeReference().Replace(text, m => ExpandWhole(m.Value)) : text;

    [GeneratedRegex(@"&(#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)")]
    private static partial Regex AnyReference();

    [GeneratedRegex("&#?[0-9A-Za-z]{1,24};")]
    private static partial Regex WholeReference();

    private static string ExpandWhole(string reference)
    {
        if (!reference.StartsWith("&#", StringComparison.Ordinal))
        {
            string name = reference[1..];
            return Names.Value.GetValueOrDefault(name) ?? Capitals.Value.GetValueOrDefault(name) ?? reference;
        }
        string text = Unescape(reference);
        return text.Contains(';') ? reference : text;
    }

    private static string Expand(string reference)
    {
        if (reference[0] == '#') return Number(reference.TrimEnd(';')[1..]);
        if (Names.Value.TryGetValue(reference, out string? whole)) return whole;
        for (int length = reference.Length - 1; length > 1; length--)
        {
            if (Names.Value.TryGetValue(reference[..length], out string? known)) return known + reference[length..];
        }
        return "&" + reference;
    }

    private static string Number(string digits)
    {
        bool hexadecimal = digits[0] is 'x' or 'X';
        ReadOnlySpan<char> value = hexadecimal ? digits.AsSpan(1) : digits;
        if (!uint.TryParse(value, hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out uint code)) code = uint.MaxValue;
        if (code is 0 or >= 0xD800 and <= 0xDFFF or > 0x10FFFF) return "\uFFFD";
        if (code is >= 0x80 and <= 0x9F) return Windows1252[(int)code - 0x80].ToString();
        bool forbidden = code is >= 1 and <= 8 or 0xB or >= 0xE and <= 0x1F or 0x7F or >= 0xFDD0 and <= 0xFDEF || (code & 0xFFFE) == 0xFFFE;
        return forbidden ? "" : char.ConvertFromUtf32((int)code);
    }

    private static Dictionary<string, string> MakeCapitals()
    {
        var capitals = new Dictionary<string, string>();
        foreach ((string name, string text) in Names.Value)
        {
            string upper = name.ToUpperInvariant();
            if (!name.EndsWith(';') || name.Any(char.IsAsciiLetterUpper) || Unescape("&" + upper) != "&" + upper) continue;
            capitals[upper] = text switch { "ß" => "SS", "ŉ" => "ʼN", "ﬀ" => "FF", "ﬁ" => "FI", "ﬂ" => "FL", "ﬃ" => "FFI", "ﬄ" => "FFL", _ => text.ToUpperInvariant() };
        }
        return capitals;
    }
}
