using System.Globalization;
using System.Text.Json;

namespace VlmKernels.Cli;

/// <summary>Forms that the references' <c>expected.json</c> files share.</summary>
internal static class EvaluateJson
{
    /// <summary>Two numbers, right and all, by name.</summary>
    public static void Parts<T>(Utf8JsonWriter w, string name, IReadOnlyDictionary<T, (int Right, int Count)> parts) where T : IConvertible
    {
        w.WriteStartObject(name);
        foreach (var (key, (right, count)) in parts)
        {
            w.WriteStartArray(key.ToString(CultureInfo.InvariantCulture));
            w.WriteNumberValue(right);
            w.WriteNumberValue(count);
            w.WriteEndArray();
        }
        w.WriteEndObject();
    }

    public static void Texts(Utf8JsonWriter w, string name, IReadOnlyList<string> texts)
    {
        w.WriteStartArray(name);
        foreach (string text in texts) w.WriteStringValue(text);
        w.WriteEndArray();
    }

    public static void Numbers(Utf8JsonWriter w, string name, IEnumerable<float> numbers)
    {
        w.WriteStartArray(name);
        foreach (float number in numbers) w.WriteNumberValue(number);
        w.WriteEndArray();
    }
}
