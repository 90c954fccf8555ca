using System.Text;

namespace VlmKernels.Inputs.Text;

/// <summary>GPT-2's and CLIP's printable stand-ins for bytes: printable Latin-1 stands for itself, the other 68 bytes for U+0100 upwards.</summary>
internal static class ByteAlphabet
{
    private static readonly char[] ToChar = MakeChars();
    private static readonly Dictionary<char, byte> ToByte = Enumerable.Range(0, 256).ToDictionary(b => ToChar[b], b => (byte)b);

    /// <summary>The stand-ins in the order of CLIP's and GPT-2's vocabularies: those that stand for themselves first.</summary>
    public static IEnumerable<char> InVocabularyOrder => Enumerable.Range(0, 256).OrderBy(b => ToChar[b] >= 256).ThenBy(b => b).Select(b => ToChar[b]);

    /// <summary>The UTF-8 bytes of a text as stand-ins; unpaired surrogates become U+FFFD.</summary>
    public static string Encode(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        int count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (chars, source) =>
        {
            for (int i = 0; i < chars.Length; i++) chars[i] = ToChar[source[i]];
        });
    }

    /// <summary>The bytes that tokens stand for; a token with any other character counts as its own UTF-8.</summary>
    public static byte[] Decode(IEnumerable<string> tokens)
    {
        var bytes = new List<byte>();
        foreach (string token in tokens)
        {
            if (token.All(ToByte.ContainsKey)) bytes.AddRange(token.Select(c => ToByte[c]));
            else bytes.AddRange(Encoding.UTF8.GetBytes(token));
        }
        return [.. bytes];
    }

    private static char[] MakeChars()
    {
        var chars = new char[256];
        int next = 256;
        for (int b = 0; b < 256; b++)
        {
            bool printable = b is >= '!' and <= '~' or >= 0xA1 and <= 0xAC or >= 0xAE;
            chars[b] = (char)(printable ? b : next++);
        }
        return chars;
    }
}
