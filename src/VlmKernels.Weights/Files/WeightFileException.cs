using System.Globalization;
using System.Text;

namespace VlmKernels.Weights;

/// <summary>A weight file cannot be used. The message names the file, the key in it, what was expected and what was found.</summary>
public sealed class WeightFileException : Exception
{
    private const int LongestQuote = 200;

    /// <summary>Composes the message <c>file: key: expected …, found …</c>.</summary>
    /// <param name="file">Path of the file or folder at fault.</param>
    /// <param name="key">Tensor name, header field or index entry at fault; null when it is the file as a whole.</param>
    /// <param name="expected">What the format or the caller asks for.</param>
    /// <param name="found">What was there instead.</param>
    /// <param name="inner">The error below this one, if any.</param>
    public WeightFileException(string file, string? key, string expected, string found, Exception? inner = null)
        : base($"{file}: {(key is null ? "" : Quote(key) + ": ")}expected {expected}, found {found}", inner)
    {
        File = file;
        Key = key;
        Expected = expected;
        Found = found;
    }

    /// <summary>Path of the file or folder at fault.</summary>
    public string File { get; }

    /// <summary>Tensor name, header field or index entry at fault, unshortened; null when it is the file as a whole.</summary>
    public string? Key { get; }

    /// <summary>What the format or the caller asks for.</summary>
    public string Expected { get; }

    /// <summary>What was there instead.</summary>
    public string Found { get; }

    /// <summary>Text from a file, made safe to print: a hostile name may be megabytes long or hold terminal escapes.</summary>
    internal static string Quote(string text)
    {
        var quoted = new StringBuilder("'");
        foreach (char c in text.AsSpan(0, Math.Min(text.Length, LongestQuote)))
        {
            if (char.IsControl(c) || char.IsSurrogate(c)) quoted.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else quoted.Append(c);
        }
        return quoted.Append(text.Length > LongestQuote ? "…'" : "'").ToString();
    }
}
