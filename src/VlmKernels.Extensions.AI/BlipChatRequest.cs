using Microsoft.Extensions.AI;
using VlmKernels.Inputs;
using VlmKernels.Tasks;

namespace VlmKernels.Extensions.AI;

/// <summary>What chat messages and options mean to BLIP.</summary>
internal static class BlipChatRequest
{
    /// <summary>The picture of a message and its text; null: it has none.</summary>
    public static (DataContent Picture, string? Text) Read(IEnumerable<ChatMessage> messages, bool needsText)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ChatMessage[] all = [.. messages];
        if (all is not [{ } message] || message.Role != ChatRole.User) throw new ArgumentException($"messages: BLIP holds no conversation; expected one message of a user, found {all.Length} of {string.Join(", ", all.Select(m => m.Role).Distinct())}");
        if (message.Contents.FirstOrDefault(c => c is not (DataContent or TextContent)) is { } other) throw new ArgumentException($"messages: expected a picture and a text, found {other.GetType().Name}");
        DataContent[] pictures = [.. message.Contents.OfType<DataContent>()];
        if (pictures is not [{ } picture]) throw new ArgumentException($"messages: expected one picture, found {pictures.Length}");
        if (!picture.HasTopLevelMediaType("image")) throw new ArgumentException($"messages: expected a picture of media type image/*, found {picture.MediaType}");
        string text = message.Text.Trim();
        if (text.Length == 0 && needsText) throw new ArgumentException("messages: expected a question beside the picture, found none");
        return (picture, text.Length == 0 ? null : text);
    }

    /// <summary>How the text is written.</summary>
    public static WritingOptions Options(ChatOptions? options, string? modelId)
    {
        if (options is null) return new WritingOptions();
        Refuse(options.FrequencyPenalty is not null and not 0, nameof(options.FrequencyPenalty));
        Refuse(options.PresencePenalty is not null and not 0, nameof(options.PresencePenalty));
        Refuse(options.Tools is { Count: > 0 }, nameof(options.Tools));
        Refuse(options.Instructions is { Length: > 0 }, nameof(options.Instructions));
        Refuse(options.ResponseFormat is not null and not ChatResponseFormatText, nameof(options.ResponseFormat));
        if (options.ModelId is { } model && model != modelId) throw new ArgumentException($"ModelId: expected {modelId ?? "none, since this client's model has no name"}, found {model}", nameof(options));
        if (options.Seed is < 0) throw new ArgumentException($"Seed: expected at least 0, found {options.Seed}", nameof(options));
        bool samples = options.Temperature != 0 && (options.Temperature ?? options.TopP ?? options.TopK ?? (float?)options.Seed) is not null;
        string[] stops = [.. options.StopSequences ?? []];
        if (stops.Contains("")) throw new ArgumentException("StopSequences: expected texts, found an empty one", nameof(options));
        // Beams are known only at their end, so a stop sequence could not end one.
        var writing = new WritingOptions { MaxTokens = options.MaxOutputTokens, Samples = samples, Beams = !samples && stops.Length > 0 ? 1 : null, Stops = stops };
        return !samples ? writing : writing with { Temperature = options.Temperature, TopP = options.TopP, TopK = options.TopK, Seed = (ulong?)options.Seed };
    }

    /// <summary>The bytes of a picture.</summary>
    public static ReadOnlyMemory<byte> Bytes(DataContent content, string name)
    {
        try
        {
            return content.Data;
        }
        catch (FormatException e)
        {
            throw new ImageFormatException($"{name}: its data: URI is damaged: {e.Message}", e);
        }
    }

    private static void Refuse(bool isAsked, string option)
    {
        if (isAsked) throw new NotSupportedException($"{option}: BLIP cannot honour it");
    }
}
