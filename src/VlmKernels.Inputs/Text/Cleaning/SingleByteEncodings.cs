using System.Globalization;

namespace VlmKernels.Inputs.Text;

/// <summary>A single-byte encoding that UTF-8 text is mistaken for.</summary>
internal sealed class SingleByteEncoding
{
    private readonly Dictionary<char, byte> bytes = [];
    private readonly char[] upper;

    private SingleByteEncoding(string name, char[] upper)
    {
        (Name, this.upper) = (name, upper);
        for (int b = 0; b < 128; b++) bytes[(char)b] = (byte)b;
        for (int b = 0; b < 128; b++) bytes.TryAdd(upper[b], (byte)(b + 128));
        if (!IsWindows) return;
        // The byte 1A stands for a character that was lost on the way.
        bytes.Remove('\x1A');
        bytes['\uFFFD'] = 0x1A;
    }

    /// <summary>The encodings in the order in which they are tried.</summary>
    public static IReadOnlyList<SingleByteEncoding> All { get; } =
        [.. EmbeddedText.Rows("charmaps.txt").Where(r => r[0] != "halfwidth").Select(r => new SingleByteEncoding(r[0], Characters(r)))];

    /// <summary>U+FF5F to U+FFEE: what each half-width form stands for.</summary>
    public static string HalfWidth { get; } = new(Characters(EmbeddedText.Rows("charmaps.txt").Single(r => r[0] == "halfwidth")));

    public string Name { get; }

    public bool IsWindows => Name.StartsWith("windows", StringComparison.Ordinal);

    /// <summary>The character of a byte of 80 and above.</summary>
    public char this[byte value] => upper[value - 128];

    /// <summary>The bytes of a text, or null when it has a character that the encoding lacks.</summary>
    public byte[]? Encode(string text)
    {
        var result = new byte[text.Length];
        for (int i = 0; i < text.Length; i++)
        {
            if (!bytes.TryGetValue(text[i], out result[i])) return null;
        }
        return result;
    }

    private static char[] Characters(string[] row) => [.. row.Skip(1).Select(h => (char)int.Parse(h, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))];
}
