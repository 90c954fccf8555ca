using System.Text;
using VlmKernels.Inputs.Text;

namespace VlmKernels.Inputs;

/// <summary>What salesforce/BLIP does to captions and questions before they become ids (<c>data/utils.py</c>).</summary>
public static class BlipCleaning
{
    private const string Punctuation = ".!\"()*#:;~";

    /// <summary>A caption in lower case, punctuation replaced by blanks, cut after some words.</summary>
    /// <param name="caption">Any text.</param>
    /// <param name="mostWords">Words that are kept; the original's retrieval keeps 30, NLVR2 40, else 50.</param>
    public static string Caption(string caption, int mostWords = 50)
    {
        string text = Narrow(Map(caption, ' ')).TrimEnd('\n').Trim(' ');
        return Cut(text, mostWords);
    }

    /// <summary>A question in lower case, punctuation left out, cut after some words.</summary>
    /// <param name="question">Any text.</param>
    /// <param name="mostWords">Words that are kept.</param>
    public static string Question(string question, int mostWords = 50) => Cut(Map(question, null).TrimEnd(' '), mostWords);

    private static string Map(string text, char? punctuation)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in LetterCase.LowerWithFinalSigma(text))
        {
            if (!Punctuation.Contains(c, StringComparison.Ordinal)) result.Append(c);
            else if (punctuation is { } instead) result.Append(instead);
        }
        return result.ToString();
    }

    /// <summary>Two or more white spaces in a row become one blank; a single one stays what it is.</summary>
    private static string Narrow(string text)
    {
        var result = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length;)
        {
            int end = i;
            while (end < text.Length && WhiteSpace.IsForSplit(text[end])) end++;
            result.Append(end - i > 1 ? ' ' : text[i]);
            i = Math.Max(end, i + 1);
        }
        return result.ToString();
    }

    private static string Cut(string text, int mostWords)
    {
        string[] words = text.Split(' ');
        return words.Length > mostWords ? string.Join(' ', words[..mostWords]) : text;
    }
}
