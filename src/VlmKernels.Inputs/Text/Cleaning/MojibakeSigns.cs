using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>
/// The signs by which text counts as mojibake: neighbouring characters that people do not write. The classes and rules are those of
/// ftfy 6 (Robyn Speer, Apache-2.0), so that the same texts are repaired.
/// </summary>
internal static class MojibakeSigns
{
    private const string Common = "\u00A0\u00AD\u00B7\u00B4\u2013\u2014\u2015\u2026\u2019";
    private const string Controls = "\u0080-\u009F";
    private const string Bad = "¦¤¨¬¯¸ƒˆˇ˘˛˜†‡‰⌐◊\uFFFDªº";
    private const string Law = "¶§";
    private const string Currency = "¢£¥₧€";
    private const string Opening = "¡«¿©΄΅‘‚“„•‹\uF8FF";
    private const string Closing = "®»˝”›™";
    private const string Numeric = "²³¹±¼½¾×µ÷⁄∂∆∏∑√∞∩∫≈≠≡≤≥№";
    private const string Faces = "Ò-ÖÙ-Üò-öø-üŐŌŪŲ°";
    private const string Upper = "À-ÑØÜÝĂĀĄĆČĎĐĘĚĒĖĞĢİĪĶĹĽŁĻŃŇŅŒŘŚŞŠŢŤŮŰŸŹŻŽҐ";
    private const string Lower = "ßà-ñăąāćčďđęěēėğģįīķĺľłļœŕśşšťüźżžґﬁﬂ";
    private const string UpperCommon = "ÞΑ-ΩΆΈΉΊΌΎΏΪΫЁ-Я";
    private const string LowerCommon = "α-ωάέήίΰа-џ";
    private const string Box = "│┌┐┘├┤┬┼═-╬▀▄█▌▐░▒▓";
    private const string ArabicSecond = $"[{Common}{Currency}{Bad}{Numeric}{Opening}ŸŠ®°µ»]";

    private static readonly string[] Rules =
    [
        $"[{Controls}]",
        $"[{Bad}{Lower}{Upper}{Box}{Opening}{Closing}{Currency}{Numeric}{Law}][{Bad}]",
        $"[a-zA-Z][{LowerCommon}{UpperCommon}][{Bad}]",
        $"[{Bad}][{Lower}{Upper}{Box}{Opening}{Closing}{Currency}{Numeric}{Law}]",
        $"[{Lower}{LowerCommon}{Box}{Closing}{Currency}{Numeric}][{Upper}]",
        $"[{Box}{Closing}{Currency}{Numeric}][{Lower}]",
        $"[{Lower}{Box}{Closing}][{Currency}]",
        $@"\s[{Upper}][{Currency}]",
        $"[{Upper}{Box}][{Numeric}{Law}]",
        $"[{Lower}{Upper}{Box}{Currency}{Closing}][{Opening}][{Numeric}]",
        $"[{Lower}{Upper}{Currency}{Numeric}{Box}{Law}][{Closing}][{Opening}]",
        $"[{Currency}{Numeric}{Box}][{Opening}]",
        $"[a-z][{Upper}][{Opening}{Currency}]",
        $"[{Box}][{Faces}]",
        $"[{Lower}{Upper}{Currency}{Numeric}{Opening}{Closing}{Law}][{Box}]",
        $"[{Box}][{Closing}]",
        $@"[{Lower}{Upper}][{Opening}{Closing}][\p{{L}}\p{{N}}_]",
        "[Œœ][^A-Za-z]",
        $"[{Upper}]°",
        // UTF-8 read as Windows-1252: two bytes, Arabic, South Asian scripts.
        $"[ÂÃÎÐ][€œŠš¢£Ÿž\u00A0\u00AD®©°·»{Opening}{Closing}–—´]",
        "×[²³]",
        $"[ØÙ]{ArabicSecond}[ØÙ]{ArabicSecond}",
        "à[²µ¹¼½¾]",
        // UTF-8 read as MacRoman.
        "√[±∂†≠®™´≤≥¥µø]",
        "≈[°¢]",
        "‚Ä[ìîïòôúùû†°¢π]",
        "‚[âó][àä°ê]",
        // UTF-8 read as Windows-1251.
        "вЂ",
        $"[ВГРС][{Controls}{Bad}{Opening}{Closing}{Currency}°µ][ВГРС]",
        "ГўВЂВ.[A-Za-z ]",
        // The letters à and á, and no-break spaces that became blanks.
        "Ã[\u00A0¡]",
        @"[a-z]\s?[ÃÂ][ ]",
        "^[ÃÂ][ ]",
        $"[a-z.,?!{Closing}]Â[ {Opening}{Closing}]",
        // UTF-8 read as Windows-1253 and Windows-1257.
        "β€[™\u00A0Ά\u00AD®°]",
        $"[ΒΓΞΟ][{Controls}{Bad}{Opening}{Closing}{Currency}°][ΒΓΞΟ]",
        "ā€",
    ];

    private static readonly Lazy<Regex> Signs = new(() => new Regex(string.Join('|', Rules), RegexOptions.CultureInvariant));
    private static readonly Lazy<Regex> Sequences = new(MakeSequences);

    /// <summary>Whether the text has any sign of mojibake.</summary>
    public static bool IsBad(string text) => Signs.Value.IsMatch(text);

    /// <summary>Replaces stretches that look like UTF-8 read in one of the encodings.</summary>
    public static string ReplaceSequences(string text, Func<string, string> repair) => Sequences.Value.Replace(text, m => repair(m.Value));

    // Lead characters and continuation characters of two to four bytes, taken from the encodings themselves.
    private static Regex MakeSequences()
    {
        SingleByteEncoding[] encodings = [.. SingleByteEncoding.All.Where(e => e.IsWindows || e.Name == "latin-1")];
        string Class(int first, int last) => new([.. encodings.SelectMany(e => Enumerable.Range(first, last - first + 1).Select(b => e[(byte)b])).Distinct().Where(c => c is not ('[' or ']' or '\\' or '^' or '-'))]);
        string two = Class(0xC2, 0xDF), three = Class(0xE0, 0xEF), four = Class(0xF0, 0xF0) + Class(0xF3, 0xF3), continuation = Class(0x80, 0xBF);
        string strict = new([.. continuation.Except("–—―‘’‚“”„•…")]);
        return new Regex($"(?<![{strict}])(?:[{two}][{continuation} ]|[{three}][{continuation} ]{{2}}|[{four}][{continuation} ]{{3}})+", RegexOptions.CultureInvariant);
    }
}
