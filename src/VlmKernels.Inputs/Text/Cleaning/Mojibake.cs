using System.Text;
using System.Text.RegularExpressions;

namespace VlmKernels.Inputs.Text;

/// <summary>Repairs UTF-8 that was read in a single-byte encoding, once or several times (ftfy's fix_encoding).</summary>
internal static partial class Mojibake
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    /// <summary>Repairs until nothing changes.</summary>
    public static string Repair(string text)
    {
        while (true)
        {
            string next = RepairOnce(text);
            if (next == text) return text;
            text = next;
        }
    }

    private static string RepairOnce(string text)
    {
        if (Ascii.IsValid(text) || !MojibakeSigns.IsBad(text)) return text;
        foreach (SingleByteEncoding encoding in SingleByteEncoding.All)
        {
            if (encoding.Encode(text) is not { } bytes) continue;
            if (DecodeUtf8(bytes, encoding) is { } repaired) return repaired;
        }
        string parts = MojibakeSigns.ReplaceSequences(text, part => part.Length < text.Length && MojibakeSigns.IsBad(part) ? Repair(part) : part);
        return parts != text ? parts : ReplaceControls(text);
    }

    /// <summary>C1 controls as Windows-1252 reads their bytes, which is what browsers do.</summary>
    public static string ReplaceControls(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\u0080', '\u009F')) return text;
        SingleByteEncoding windows = SingleByteEncoding.All.First(e => e.Name == "windows-1252");
        return string.Concat(text.Select(c => c is >= '\u0080' and <= '\u009F' ? windows[(byte)c] : c));
    }

    // Bytes as Latin-1 characters, so that patterns over bytes are patterns over text.
    private static string? DecodeUtf8(byte[] bytes, SingleByteEncoding encoding)
    {
        string units = Encoding.Latin1.GetString(bytes);
        // In MacRoman a blank after such a letter is more likely an en dash and a blank.
        if (encoding.Name != "macroman") units = LostNoBreakSpace().Replace(GraveWord().Replace(units, "\u00C3\u00A0 "), m => m.Value.Replace(' ', '\u00A0'));
        if (encoding.IsWindows) units = LostBytes().Replace(units, "\u00EF\u00BF\u00BD");
        units = SurrogateBytes().Replace(units, m => JoinSurrogates(m.Value)).Replace("\u00C0\u0080", "\0", StringComparison.Ordinal);
        try
        {
            return StrictUtf8.GetString(Encoding.Latin1.GetBytes(units));
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    // Two surrogates of three bytes each (CESU-8) are one code point of four bytes.
    private static string JoinSurrogates(string six)
    {
        int high = (six[1] & 0x0F) << 6 | (six[2] & 0x3F), low = (six[4] & 0x0F) << 6 | (six[5] & 0x3F);
        return Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(char.ConvertFromUtf32(0x10000 + (high << 10) + low)));
    }

    [GeneratedRegex("\u00C3 (?! |quele|quela|quilo|s )")]
    private static partial Regex GraveWord();

    [GeneratedRegex("[\u00C2\u00C3\u00C5\u00CE\u00D0\u00D9] |[\u00E2\u00E3] [\u0080-\u0084\u0086-\u009F\u00A1-\u00BF]|[\u00E0-\u00E3][\u0080-\u0084\u0086-\u009F\u00A1-\u00BF] |\u00F0 [\u0080-\u00BF]{2}|\u00F0[\u0080-\u00BF] [\u0080-\u00BF]|\u00F0[\u0080-\u00BF]{2} ")]
    private static partial Regex LostNoBreakSpace();

    [GeneratedRegex("[\u00C2-\u00DF]\u001A|[\u00C2\u00C3]\\?|\u00ED[\u00A0-\u00AF][\u001A?]\u00ED[\u00B0-\u00BF][\u001A?\u0080-\u00BF]|\u00ED[\u00A0-\u00AF][\u001A?\u0080-\u00BF]\u00ED[\u00B0-\u00BF][\u001A?]|[\u00E0-\u00EF][\u001A?][\u001A\u0080-\u00BF]|[\u00E0-\u00EF][\u001A\u0080-\u00BF][\u001A?]|[\u00F0-\u00F4][\u001A?][\u001A\u0080-\u00BF]{2}|[\u00F0-\u00F4][\u001A\u0080-\u00BF][\u001A?][\u001A\u0080-\u00BF]|[\u00F0-\u00F4][\u001A\u0080-\u00BF]{2}[\u001A?]|\u001A")]
    private static partial Regex LostBytes();

    [GeneratedRegex("\u00ED[\u00A0-\u00AF][\u0080-\u00BF]\u00ED[\u00B0-\u00BF][\u0080-\u00BF]")]
    private static partial Regex SurrogateBytes();
}
