using System.Text;
using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>ftfy 6.3's <c>fix_text</c> with its defaults, which the OpenAI and open_clip tokenizers run first.</summary>
internal static partial class TextFixer
{
    private const int LongestLine = 1_000_000;

    private static readonly Dictionary<char, string> Ligatures = new()
    {
        ['Ĳ'] = "IJ", ['ĳ'] = "ij", ['ŉ'] = "ʼn", ['Ǳ'] = "DZ", ['ǲ'] = "Dz", ['ǳ'] = "dz", ['Ǆ'] = "DŽ", ['ǅ'] = "Dž", ['ǆ'] = "dž",
        ['Ǉ'] = "LJ", ['ǈ'] = "Lj", ['ǉ'] = "lj", ['Ǌ'] = "NJ", ['ǋ'] = "Nj", ['ǌ'] = "nj",
        ['ﬀ'] = "ff", ['ﬁ'] = "fi", ['ﬂ'] = "fl", ['ﬃ'] = "ffi", ['ﬄ'] = "ffl", ['ﬅ'] = "ſt", ['ﬆ'] = "st",
    };

    /// <summary>Repairs a text line by line.</summary>
    public static string Fix(string text)
    {
        var result = new StringBuilder(text.Length);
        bool unescape = true;
        for (int position = 0; position < text.Length;)
        {
            int end = text.IndexOf('\n', position) + 1;
            if (end == 0) end = text.Length;
            end = Math.Min(end, position + LongestLine);
            string line = text[position..end];
            // Text with a "<" may be HTML that somebody else will read: references stay, in this line and all that follow.
            unescape &= !line.Contains('<');
            result.Append(FixLine(line, unescape));
            position = end;
        }
        return result.ToString();
    }

    private static string FixLine(string text, bool unescape)
    {
        while (true)
        {
            string before = text;
            if (unescape && !text.Contains('<')) text = HtmlReferences.UnescapeCautiously(text);
            text = Mojibake.ReplaceControls(Mojibake.Repair(text));
            text = FixCharacters(text);
            text = TerminalEscape().Replace(FixLineBreaks(text), "");
            text = CanonicalForm.Compose(RemoveControls(text));
            if (text == before) return text;
        }
    }

    // Ligatures, then full and half width, then quotes, then unpaired surrogates.
    private static string FixCharacters(string text)
    {
        if (Ascii.IsValid(text)) return text;
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool pair = char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            if (pair) result.Append(c).Append(text[++i]);
            else if (Ligatures.TryGetValue(c, out string? letters)) result.Append(letters.Replace('ʼ', '\''));
            else result.Append(FixCharacter(c));
        }
        return result.ToString();
    }

    private static string FixCharacter(char c) => c switch
    {
        '\u02BC' or >= '\u2018' and <= '\u201B' => "'",
        >= '\u201C' and <= '\u201F' => "\"",
        '\u3000' => " ",
        >= '\uFF01' and <= '\uFF5E' => ((char)(c - 0xFEE0)).ToString(),
        '\uFFE3' => " \u0304",
        >= '\uFF5F' and <= '\uFFEE' => SingleByteEncoding.HalfWidth[c - 0xFF5F].ToString(),
        >= '\uD800' and <= '\uDFFF' => "\uFFFD",
        _ => c.ToString(),
    };

    private static string FixLineBreaks(string text) => text.AsSpan().ContainsAny("\r\u2028\u2029\u0085")
        ? text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n').Replace('\u2028', '\n').Replace('\u2029', '\n').Replace('\u0085', '\n')
        : text;

    private static string RemoveControls(string text) => text.Any(IsControl) ? string.Concat(text.Where(c => !IsControl(c))) : text;

    private static bool IsControl(char c) => c is <= '\x08' or '\x0B' or >= '\x0E' and <= '\x1F' or '\x7F' or >= '\u206A' and <= '\u206F' or '\uFEFF' or >= '\uFFF9' and <= '\uFFFC';

    [GeneratedRegex("\u001B\\[(?:[0-9]|;)*[a-zA-Z]")]
    private static partial Regex TerminalEscape();
}
