using System.Text;
using System.Text.Json;

namespace VlmKernels.Testing;

/// <summary>
/// Damages JSON so that it stays JSON: values and names exchanged, left out, repeated or replaced by awkward ones. Damage to bytes seldom gets
/// past the parser; this reaches what reads the values.
/// </summary>
public static class JsonDamage
{
    private static readonly byte[][] Values =
    [
        .. new[]
        {
            "0", "-1", "1", "77", "1.5", "1e999", "2147483647", "2147483648", "-2147483649", "9223372036854775807", "18446744073709551615", "99999999999999999999",
            "null", "true", "false", "[]", "{}", "[[]]", "[0,0]", "[\"a\",1.5]", "{\"a\":1}",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly byte[][] Texts = [.. new[] { "\"\"", "\" \"", "\"a b\"", "\"\\ud800\"", "\"\\u0000\"", "\"\\n\"", "\"\u00e9\"", "\"(\"", "\"../a\"", "\"__metadata__\"", $"\"{new string('a', 300)}\"" }.Select(Encoding.UTF8.GetBytes)];

    /// <summary>Damages JSON once. Of text that is no JSON, what was before the fault counts; without any value it stays as it is.</summary>
    public static byte[] Apply(byte[] json, Random random)
    {
        var parts = Parts.Of(json);
        if (parts.Values.Count == 0) return json;
        Range at;
        switch (random.Next(5))
        {
            case 0 when parts.Names.Count > 0:
                return Replace(json, Pick(parts.Names, random), random.Next(2) == 0 ? Pick(Texts, random) : json[Pick(parts.Names, random)]);
            case 1:
                return Replace(json, Pick(parts.Values, random), json[Pick(parts.Values, random)]);
            case 2:
                at = Pick(parts.Members, random);
                return Replace(json, at, [.. json[at], (byte)',', .. json[at]]);
            case 3:
                return Remove(json, Pick(parts.Members, random));
            default:
                return Replace(json, Pick(parts.Values, random), Pick(random.Next(3) == 0 ? Texts : Values, random));
        }
    }

    private static T Pick<T>(IReadOnlyList<T> list, Random random) => list[random.Next(list.Count)];

    private static byte[] Replace(byte[] json, Range at, byte[] with) => [.. json[..at.Start], .. with, .. json[at.End.Value..]];

    /// <summary>Without a member and a comma beside it.</summary>
    private static byte[] Remove(byte[] json, Range member)
    {
        var (before, after) = (json[..member.Start], json[member.End.Value..]);
        int next = Array.FindIndex(after, b => b is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'));
        if (next >= 0 && after[next] == ',') return [.. before, .. after[(next + 1)..]];
        int comma = Array.FindLastIndex(before, b => b is (byte)',' or (byte)'[' or (byte)'{');
        return comma >= 0 && before[comma] == ',' ? [.. before[..comma], .. after] : [.. before, .. after];
    }

    /// <summary>Where names, values, and members (elements of arrays, or names with their values) lie.</summary>
    private sealed class Parts
    {
        private readonly Stack<(int Value, int Member)> _open = [];
        private int? _name;

        public List<Range> Names { get; } = [];

        public List<Range> Values { get; } = [];

        public List<Range> Members { get; } = [];

        public static Parts Of(byte[] json)
        {
            var parts = new Parts();
            var reader = new Utf8JsonReader(json);
            try
            {
                while (reader.Read()) parts.Take(ref reader);
            }
            catch (JsonException)
            {
                // Damaged before: the parts in front of the fault will do.
            }
            return parts;
        }

        private void Take(ref Utf8JsonReader reader)
        {
            int start = (int)reader.TokenStartIndex;
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _name = start;
                    Names.Add(start..(start + reader.ValueSpan.Length + 2));
                    break;
                case JsonTokenType.StartObject or JsonTokenType.StartArray:
                    _open.Push((start, _name ?? start));
                    _name = null;
                    break;
                case JsonTokenType.EndObject or JsonTokenType.EndArray:
                    var (value, member) = _open.Pop();
                    Add(value, member, (int)reader.BytesConsumed);
                    break;
                default:
                    Add(start, _name ?? start, (int)reader.BytesConsumed);
                    _name = null;
                    break;
            }
        }

        private void Add(int value, int member, int end)
        {
            Values.Add(value..end);
            Members.Add(member..end);
        }
    }
}
