using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>White space as Python sees it: <c>str.split()</c> and <c>strip()</c> include U+001C to U+001F, the regex module's <c>\s</c> does not.</summary>
internal static class WhiteSpace
{
    /// <summary>Unicode's White_Space property (Rust's <c>char::is_whitespace</c>, the regex module's <c>\s</c>).</summary>
    public static bool Is(char c) => char.IsWhiteSpace(c) && c is not (>= '\x1C' and <= '\x1F');

    /// <summary>Python's <c>str.isspace()</c>.</summary>
    public static bool IsForSplit(char c) => Is(c) || c is >= '\x1C' and <= '\x1F';

    /// <summary>Every run of white space becomes one blank.</summary>
    public static string Collapse(string text, Func<char, bool> isSpace)
    {
        var result = new StringBuilder(text.Length);
        bool inSpace = false;
        foreach (char c in text)
        {
            bool space = isSpace(c);
            if (!space) result.Append(c);
            else if (!inSpace) result.Append(' ');
            inSpace = space;
        }
        return result.ToString();
    }

    /// <summary>Python's <c>strip()</c>.</summary>
    public static string Strip(string text)
    {
        int start = 0, end = text.Length;
        while (start < end && IsForSplit(text[start])) start++;
        while (end > start && IsForSplit(text[end - 1])) end--;
        return text[start..end];
    }
}
