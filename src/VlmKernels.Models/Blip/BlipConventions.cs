namespace VlmKernels.Models;

/// <summary>Where transformers and the original project use the same weights in different ways. Trained was as the original does.</summary>
public sealed record BlipConventions
{
    /// <summary>salesforce/BLIP and LAVIS.</summary>
    public static BlipConventions Original { get; } = new() { MatchesWithEncode = true, AsksWithEncode = true, CaptionPrompt = "a picture of ", CleansText = true };

    /// <summary>transformers.</summary>
    public static BlipConventions HuggingFace { get; } = new() { CaptionPrompt = "" };

    /// <summary>Whether a text that is matched with a picture begins with [ENC]; otherwise [CLS] stays.</summary>
    public bool MatchesWithEncode { get; init; }

    /// <summary>Whether a question begins with [ENC]; otherwise [CLS] stays.</summary>
    public bool AsksWithEncode { get; init; }

    /// <summary>What every caption goes on from, and what is cut off it.</summary>
    public required string CaptionPrompt { get; init; }

    /// <summary>Whether captions and questions lose punctuation before they become ids.</summary>
    public bool CleansText { get; init; }
}
