using System.Globalization;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>Lower case as the references do it: code point by code point, with the one full mapping that lengthens (U+0130).</summary>
internal static class LetterCase
{
    // Punctuation inside words, which the rule for the final sigma looks through (Unicode's MidLetter, MidNumLet and Single_Quote).
    private const string InsideWords = "'.:··՟״‘’․‧︓﹒﹕＇．：^`¨¯´¸";

    /// <summary>Rust's <c>char::to_lowercase</c> on every code point, as the tokenizers library lowers text.</summary>
    public static string Lower(string text) => Lower(text, false);

    /// <summary>Python's <c>str.lower()</c>: the same, and a capital sigma at the end of a word becomes ς.</summary>
    public static string LowerWithFinalSigma(string text) => Lower(text, true);

    private static string Lower(string text, bool finalSigma)
    {
        var lower = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                lower.Append(Rune.ToLowerInvariant(new Rune(c, text[++i])).ToString());
            }
            else if (c == 'İ') lower.Append("i̇");
            else if (c == 'Σ' && finalSigma && EndsWord(text, i)) lower.Append('ς');
            else lower.Append(char.ToLowerInvariant(c));
        }
        return lower.ToString();
    }

    private static bool EndsWord(string text, int at)
    {
        int before = at - 1, after = at + 1;
        while (before >= 0 && IsIgnorable(text[before])) before--;
        while (after < text.Length && IsIgnorable(text[after])) after++;
        return before >= 0 && IsCased(text, before) && !(after < text.Length && IsCased(text, after));
    }

    private static bool IsIgnorable(char c) => InsideWords.Contains(c) || CharUnicodeInfo.GetUnicodeCategory(c)
        is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol;

    private static bool IsCased(string text, int at)
    {
        int start = char.IsLowSurrogate(text[at]) && at > 0 && char.IsHighSurrogate(text[at - 1]) ? at - 1 : at;
        return CharUnicodeInfo.GetUnicodeCategory(text, start) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;
    }
}
