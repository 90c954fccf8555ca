using System.Globalization;
using System.Text.RegularExpressions;

namespace VlmKernels.Convert;

/// <summary>Sizes as people write them: <c>2GB</c> (10⁹), <c>500MiB</c> (2²⁰), <c>1000000</c>.</summary>
internal static partial class SizeText
{
    private const string Units = "KMGT";

    /// <exception cref="ArgumentException">It is no size, or not positive.</exception>
    public static long Parse(string option, string text)
    {
        Match match = Size().Match(text);
        double bytes = 0;
        if (match.Success)
        {
            int power = match.Groups["unit"].Length == 0 ? 0 : 1 + Units.IndexOf(char.ToUpperInvariant(match.Groups["unit"].Value[0]), StringComparison.Ordinal);
            bytes = double.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture) * Math.Pow(match.Groups["binary"].Success ? 1024 : 1000, power);
        }
        return bytes is >= 1 and < long.MaxValue ? (long)bytes : throw new ArgumentException($"{option}: expected a size such as 2GB or 500MiB, found {text}");
    }

    [GeneratedRegex(@"^(?<number>\d{1,15}(\.\d{1,9})?) ?((?<unit>[KMGT])(?<binary>i)?)?B?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Size();
}
