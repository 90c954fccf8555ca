using System.Text.Json;

namespace VlmKernels.Tasks;

/// <summary>A picture and what is said of it.</summary>
/// <param name="Image">Path of the picture.</param>
/// <param name="Captions">Right captions; none only where there are questions.</param>
/// <param name="WrongCaption">A caption that does not fit; null when there is none.</param>
/// <param name="WrongKind">What is wrong with it; null when it is not said.</param>
public sealed record AnnotatedPicture(string Image, IReadOnlyList<string> Captions, string? WrongCaption = null, string? WrongKind = null)
{
    /// <summary>Questions with their answers.</summary>
    public IReadOnlyList<AnnotatedQuestion> Questions { get; init; } = [];

    /// <summary>Number of objects in the picture; 0 when it is not said.</summary>
    public int Objects { get; init; }
}

/// <summary>A question about a picture.</summary>
/// <param name="Question">The question.</param>
/// <param name="Answer">The right answer.</param>
public sealed record AnnotatedQuestion(string Question, string Answer);

/// <summary>Two pictures and two captions that fit one each (Winoground, Thrush et al. 2022).</summary>
/// <param name="Image0">The picture of caption 0.</param>
/// <param name="Image1">The picture of caption 1.</param>
/// <param name="Caption0">Fits picture 0 only.</param>
/// <param name="Caption1">Fits picture 1 only.</param>
public sealed record PicturePair(string Image0, string Image1, string Caption0, string Caption1);

/// <summary>
/// An annotations file: an object with <c>scenes</c> (each <c>file, caption, wrong_caption, wrong_kind, questions, objects</c>),
/// JSON lines <c>{image, captions, wrong_caption, questions}</c> with questions as <c>{question, answer}</c>, or Winoground's <c>{image_0, image_1, caption_0, caption_1}</c> as JSON lines. Paths are relative to the file.
/// </summary>
/// <param name="Pictures">Pictures with captions.</param>
/// <param name="Pairs">Winoground pairs.</param>
public sealed record Annotations(IReadOnlyList<AnnotatedPicture> Pictures, IReadOnlyList<PicturePair> Pairs)
{
    /// <summary>The pictures that have a caption.</summary>
    public IReadOnlyList<AnnotatedPicture> Captioned => [.. Pictures.Where(p => p.Captions.Count > 0)];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">It is of none of the forms, or a row lacks a key; the message names file, row and key.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Annotations Read(string path)
    {
        string text = File.ReadAllText(path), folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var pictures = new List<AnnotatedPicture>();
        var pairs = new List<PicturePair>();
        int number = 0;
        foreach (var row in Rows(path, text))
        {
            number++;
            var r = new Row(path, number, folder, row);
            if (r.Has("image_0")) pairs.Add(new PicturePair(r.Picture("image_0"), r.Picture("image_1"), r.Text("caption_0"), r.Text("caption_1")));
            else pictures.Add(r.Annotated());
        }
        return number > 0 ? new Annotations(pictures, pairs) : throw new InvalidDataException($"{path}: holds no annotation");
    }

    private static List<JsonElement> Rows(string path, string text)
    {
        if (TryParse(text) is { } whole)
        {
            if (whole.ValueKind == JsonValueKind.Array) return [.. whole.EnumerateArray()];
            if (whole.ValueKind == JsonValueKind.Object && whole.TryGetProperty("scenes", out var scenes) && scenes.ValueKind == JsonValueKind.Array) return [.. scenes.EnumerateArray()];
        }
        var rows = new List<JsonElement>();
        int line = 0;
        foreach (string part in text.Split('\n', StringSplitOptions.TrimEntries))
        {
            line++;
            if (part.Length == 0) continue;
            rows.Add(TryParse(part) ?? throw new InvalidDataException($"{path}, line {line}: expected a JSON object, found {part[..Math.Min(40, part.Length)]}"));
        }
        return rows;
    }

    private static JsonElement? TryParse(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private readonly struct Row(string path, int number, string folder, JsonElement json)
    {
        public bool Has(string key) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(key, out _);

        public string Text(string key) => Optional(key) ?? throw Missing(key, "a text");

        public string? Optional(string key) => Has(key) && json.GetProperty(key) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

        public string Picture(string key) => Path.Combine(folder, Text(key));

        public AnnotatedPicture Annotated()
        {
            AnnotatedQuestion[] questions = Questions();
            string[] captions = questions.Length > 0 && !Has("caption") && !Has("captions") ? [] : Captions();
            return new AnnotatedPicture(Picture(Has("image") ? "image" : "file"), captions, Optional("wrong_caption"), Optional("wrong_kind"))
            {
                Questions = questions,
                Objects = Has("objects") && json.GetProperty("objects") is { ValueKind: JsonValueKind.Array } objects ? objects.GetArrayLength() : 0,
            };
        }

        private AnnotatedQuestion[] Questions()
        {
            if (!Has("questions")) return [];
            if (json.GetProperty("questions") is not { ValueKind: JsonValueKind.Array } list) throw Missing("questions", "a list of {question, answer}");
            var (file, row, home) = (path, number, folder);
            return [.. list.EnumerateArray().Select(q => new Row(file, row, home, q)).Select(q => new AnnotatedQuestion(q.Text("question"), q.Text("answer")))];
        }

        private string[] Captions()
        {
            if (Optional("caption") is { } one) return [one];
            if (!Has("captions") || json.GetProperty("captions") is not { ValueKind: JsonValueKind.Array } list) throw Missing("captions", "a list of texts");
            string[] all = [.. list.EnumerateArray().Where(c => c.ValueKind == JsonValueKind.String).Select(c => c.GetString()!)];
            return all.Length > 0 && all.Length == list.GetArrayLength() ? all : throw Missing("captions", "a list of texts");
        }

        private InvalidDataException Missing(string key, string expected) => new($"{path}, row {number}: \"{key}\": expected {expected}, found {(Has(key) ? json.GetProperty(key).GetRawText() : "nothing")}");
    }
}
