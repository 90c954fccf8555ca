using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary>What was written about a picture of a list.</summary>
/// <param name="File">The picture.</param>
/// <param name="Captions">The captions, the best first; none where the picture could not be read.</param>
/// <param name="Error">Why it could not be read; null: it could.</param>
public sealed record PictureCaptions(string File, IReadOnlyList<WrittenText> Captions, string? Error)
{
    /// <summary>Writes one object: <c>file</c> with <c>caption</c>, <c>score</c> where there is one and <c>others</c>, or with <c>error</c>.</summary>
    public void WriteTo(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("file", File);
        if (Error is not null) json.WriteString("error", Error);
        else Write(json, Captions[0]);
        if (Captions.Count > 1)
        {
            json.WriteStartArray("others");
            foreach (var caption in Captions.Skip(1))
            {
                json.WriteStartObject();
                Write(json, caption);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, WrittenText caption)
    {
        json.WriteString("caption", caption.Text);
        if (caption.Score is { } score && float.IsFinite(score)) json.WriteNumber("score", score);
    }
}
