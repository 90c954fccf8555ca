using System.Globalization;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>A step that rewrites text before it is split (tokenizer.json: normalizer).</summary>
internal interface INormalizer
{
    string Normalize(string text);
}

/// <summary>A rewriting given as a function: NFC, NFD, Lowercase, StripAccents and the cleaning modes of the CLIP tokenizers.</summary>
internal sealed class FunctionNormalizer(Func<string, string> function) : INormalizer
{
    public string Normalize(string text) => function(text);
}

/// <summary>Steps in a row (tokenizer.json: Sequence).</summary>
internal sealed class NormalizerSequence(IReadOnlyList<INormalizer> steps) : INormalizer
{
    public string Normalize(string text) => steps.Aggregate(text, (t, step) => step.Normalize(t));
}

/// <summary>Replaces every match of a pattern (tokenizer.json: Replace).</summary>
internal sealed class ReplaceNormalizer(RunePattern pattern, string content) : INormalizer
{
    // Steps in a row that double the text would fill the memory.
    private const int LongestResult = 4 << 20;

    public string Normalize(string text)
    {
        var result = new StringBuilder(text.Length);
        int position = 0;
        foreach (Range match in pattern.Matches(text))
        {
            if (result.Length > Math.Max(LongestResult, text.Length)) throw new ConfigFormatException($"a replacement of the tokenizer's file makes a text of {text.Length} characters too long");
            result.Append(text, position, match.Start.Value - position).Append(content);
            position = match.End.Value;
        }
        return result.Append(text, position, text.Length - position).ToString();
    }
}

/// <summary>BERT's cleaning, spacing of Chinese characters, accent stripping and lower-casing, in the order of the tokenizers library.</summary>
internal sealed class BertNormalizer(bool cleanText, bool handleChinese, bool stripAccents, bool lowercase) : INormalizer
{
    public string Normalize(string text)
    {
        if (cleanText) text = Map(text, Clean);
        if (handleChinese) text = Map(text, static (rune, result) => Append(result, rune, IsChinese(rune.Value)));
        if (stripAccents) text = StripAccents(text);
        return lowercase ? LetterCase.Lower(text) : text;
    }

    public static string StripAccents(string text) => Map(CanonicalForm.Decompose(text), static (rune, result) =>
    {
        if (Rune.GetUnicodeCategory(rune) != UnicodeCategory.NonSpacingMark) result.Append(rune.ToString());
    });

    private static string Map(string text, Action<Rune, StringBuilder> action)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes()) action(rune, result);
        return result.ToString();
    }

    private static void Clean(Rune rune, StringBuilder result)
    {
        if (rune.Value is '\t' or '\n' or '\r') result.Append(' ');
        else if (rune.Value is 0 or 0xFFFD || IsControl(rune)) return;
        else if (rune.IsBmp && WhiteSpace.Is((char)rune.Value)) result.Append(' ');
        else result.Append(rune.ToString());
    }

    // Unassigned code points stay, as in the tokenizers library.
    private static bool IsControl(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse;

    private static void Append(StringBuilder result, Rune rune, bool spaced)
    {
        if (spaced) result.Append(' ').Append(rune.ToString()).Append(' ');
        else result.Append(rune.ToString());
    }

    private static bool IsChinese(int code) => code
        is >= 0x4E00 and <= 0x9FFF or >= 0x3400 and <= 0x4DBF or >= 0x20000 and <= 0x2A6DF or >= 0x2A700 and <= 0x2B73F
        or >= 0x2B740 and <= 0x2B81F or >= 0x2B820 and <= 0x2CEAF or >= 0xF900 and <= 0xFAFF or >= 0x2F800 and <= 0x2FA1F;
}
