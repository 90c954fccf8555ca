using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>The cleaning functions of the OpenAI and open_clip tokenizers.</summary>
internal static class ClipCleaning
{
    /// <summary>OpenAI: the regex module's white space, which leaves U+001C to U+001F alone.</summary>
    public static string OpenAi(string text) => LetterCase.LowerWithFinalSigma(WhiteSpace.Strip(WhiteSpace.Collapse(Basic(text), WhiteSpace.Is)));

    /// <summary>open_clip: <c>" ".join(text.split())</c>.</summary>
    public static string OpenClip(string text, TextCleaning cleaning)
    {
        text = Basic(text);
        if (cleaning == TextCleaning.Canonicalize) text = LetterCase.LowerWithFinalSigma(WithoutPunctuation(text));
        text = WhiteSpace.Strip(WhiteSpace.Collapse(text, WhiteSpace.IsForSplit));
        return cleaning == TextCleaning.Lower ? LetterCase.LowerWithFinalSigma(text) : text;
    }

    private static string Basic(string text) => WhiteSpace.Strip(HtmlReferences.Unescape(HtmlReferences.Unescape(TextFixer.Fix(text))));

    private static string WithoutPunctuation(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
        {
            if (c == '_') result.Append(' ');
            else if (!(char.IsAscii(c) && (char.IsPunctuation(c) || char.IsSymbol(c)))) result.Append(c);
        }
        return result.ToString();
    }
}
