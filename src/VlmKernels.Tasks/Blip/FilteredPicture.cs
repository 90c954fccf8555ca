using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary>A text that fits its picture.</summary>
/// <param name="Text">The text.</param>
/// <param name="IsSynthetic">Whether a model wrote it; otherwise it came with the picture.</param>
/// <param name="Probability">That picture and text belong together.</param>
public readonly record struct KeptText(string Text, bool IsSynthetic, float Probability);

/// <summary>What a filter left of a picture's texts.</summary>
/// <param name="File">The picture.</param>
/// <param name="Texts">The texts that fit it, those that came with it first.</param>
/// <param name="Judged">How many there were.</param>
/// <param name="Error">Why the picture could not be read; null: it could.</param>
public sealed record FilteredPicture(string File, IReadOnlyList<KeptText> Texts, int Judged, string? Error)
{
    /// <summary>Writes one object: <c>file</c> with <c>texts</c> (each <c>text, source, match_probability</c>; the source is <c>web</c> or <c>synthetic</c>), or with <c>error</c>.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("file", File);
        if (Error is not null) json.WriteString("error", Error);
        else WriteTexts(json);
        json.WriteEndObject();
    }

    private void WriteTexts(Utf8JsonWriter json)
    {
        json.WriteStartArray("texts");
        foreach (var text in Texts)
        {
            json.WriteStartObject();
            json.WriteString("text", text.Text);
            json.WriteString("source", text.IsSynthetic ? "synthetic" : "web");
            json.WriteNumber("match_probability", text.Probability);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
