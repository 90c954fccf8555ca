using System.Globalization;
using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>
/// Unicode normalisation forms C and D. <see cref="string.Normalize()"/> does nothing when globalisation is invariant, which it is in small
/// native binaries, so the tables are our own (Unicode 14, the version the reference tokenizers were run with).
/// </summary>
internal static class CanonicalForm
{
    private const int HangulBase = 0xAC00, LeadBase = 0x1100, VowelBase = 0x1161, TrailBase = 0x11A7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, HangulCount = LeadCount * VowelCount * TrailCount;

    private static readonly Lazy<CanonicalTables> Tables = new(CanonicalTables.Read);

    /// <summary>Composed form: é as one code point.</summary>
    public static string Compose(string text) => IsPlain(text) ? text : ToText(Composed(Decomposed(text)));

    /// <summary>Decomposed form: e and a combining acute.</summary>
    public static string Decompose(string text) => IsPlain(text) ? text : ToText(Decomposed(text));

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange('\0', '\x7F');

    private static List<int> Decomposed(string text)
    {
        var codes = new List<int>(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            bool pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            Expand(pair ? char.ConvertToUtf32(text[i], text[++i]) : text[i], codes);
        }
        Reorder(codes);
        return codes;
    }

    private static void Expand(int code, List<int> codes)
    {
        int syllable = code - HangulBase;
        if (syllable is >= 0 and < HangulCount)
        {
            codes.Add(LeadBase + syllable / (VowelCount * TrailCount));
            codes.Add(VowelBase + syllable / TrailCount % VowelCount);
            if (syllable % TrailCount != 0) codes.Add(TrailBase + syllable % TrailCount);
        }
        else if (Tables.Value.Parts.TryGetValue(code, out (int First, int Second) parts))
        {
            Expand(parts.First, codes);
            if (parts.Second != 0) Expand(parts.Second, codes);
        }
        else
        {
            codes.Add(code);
        }
    }

    // Marks are sorted by combining class, stably, between code points of class 0.
    private static void Reorder(List<int> codes)
    {
        int start = 0;
        while (start < codes.Count)
        {
            if (Class(codes[start]) == 0) { start++; continue; }
            int end = start;
            while (end < codes.Count && Class(codes[end]) != 0) end++;
            if (end - start > 1)
            {
                int[] sorted = [.. codes[start..end].OrderBy(Class)];
                for (int i = 0; i < sorted.Length; i++) codes[start + i] = sorted[i];
            }
            start = end;
        }
    }

    private static List<int> Composed(List<int> codes)
    {
        var result = new List<int>(codes.Count);
        int starter = -1, previousClass = 0;
        foreach (int code in codes)
        {
            int combining = Class(code);
            bool blocked = result.Count - 1 > starter && (previousClass >= combining || previousClass == 0);
            if (starter >= 0 && !blocked && Pair(result[starter], code) is { } composite)
            {
                result[starter] = composite;
                continue;
            }
            if (combining == 0) starter = result.Count;
            previousClass = combining;
            result.Add(code);
        }
        return result;
    }

    private static int? Pair(int first, int second)
    {
        if (first is >= LeadBase and < LeadBase + LeadCount && second is >= VowelBase and < VowelBase + VowelCount)
        {
            return HangulBase + ((first - LeadBase) * VowelCount + second - VowelBase) * TrailCount;
        }
        int syllable = first - HangulBase;
        if (syllable is >= 0 and < HangulCount && syllable % TrailCount == 0 && second is > TrailBase and < TrailBase + TrailCount) return first + second - TrailBase;
        return Tables.Value.Composites.TryGetValue((first, second), out int composite) ? composite : null;
    }

    private static int Class(int code) => code < 0x300 ? 0 : Tables.Value.Classes.GetValueOrDefault(code);

    private static string ToText(List<int> codes)
    {
        var text = new StringBuilder(codes.Count);
        foreach (int code in codes)
        {
            if (code < 0x10000) text.Append((char)code); // lone surrogates pass through
            else text.Append(char.ConvertFromUtf32(code));
        }
        return text.ToString();
    }

    private sealed record CanonicalTables(Dictionary<int, (int First, int Second)> Parts, Dictionary<(int, int), int> Composites, Dictionary<int, byte> Classes)
    {
        public static CanonicalTables Read()
        {
            var tables = new CanonicalTables([], [], []);
            foreach (string[] row in EmbeddedText.Rows("canonical.txt"))
            {
                int code = Hex(row[1]), first = Hex(row[2]);
                if (row[0] == "C")
                {
                    for (int c = code; c <= first; c++) tables.Classes[c] = byte.Parse(row[3], CultureInfo.InvariantCulture);
                    continue;
                }
                int second = row.Length > 3 ? Hex(row[3]) : 0;
                tables.Parts[code] = (first, second);
                if (row[0] == "D") tables.Composites[(first, second)] = code;
            }
            return tables;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }
}
